"""The report: measures, calibrated confidence and warnings with advice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from mattebox.core.engine import Engine
from mattebox.core.photo import Photo, read_photo
from mattebox.core.report.advice import warn
from mattebox.core.report.confidence import Curve, confidence, shipped_curves
from mattebox.core.report.features import Features, measure
from mattebox.core.segment.image_measures import blockiness
from mattebox.core.segment.segmentation import segment
from mattebox.core.segment.view import close_up, network_view, small_copy
from mattebox.core.settings import CutSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

GOOD = Features(
    networks=1,
    looks=3,
    agreement=0.97,
    consent=0.97,
    decided=0.95,
    haze=0.0,
    whole=1.0,
    frame=0.0,
    contrast=0.3,
    blur=1.5,
    area=0.2,
    blocks=0.0,
)


def _measured(fake_network: Any, view: NDArray[np.uint8]) -> Features | None:
    segmentation = segment(
        view, [fake_network(lambda seen: (seen[..., 0] > 128).astype(np.float32))], "balanced"
    )
    return measure(view, segmentation, segmentation.probability)


def _view(discs: Callable[..., NDArray[np.float32]], behind: int = 40, front: int = 220) -> NDArray[np.uint8]:
    disc = discs((160, 200), (100, 80, 40))[..., None]
    return np.repeat((behind + (front - behind) * disc).astype(np.uint8), 3, axis=2)


def test_a_clear_subject_measures_as_one(
    fake_network: Any, discs: Callable[..., NDArray[np.float32]]
) -> None:
    """A bright disc on dark: full agreement, one part, off the frame, its own area and contrast."""
    found = _measured(fake_network, _view(discs))
    assert found is not None
    assert found.agreement > 0.95
    assert found.whole == 1.0
    assert found.frame == 0.0
    assert found.area == pytest.approx(np.pi * 40**2 / (160 * 200), rel=0.03)
    assert found.contrast == pytest.approx(180 / 255, rel=0.1)


def test_an_empty_map_has_no_measures_and_no_confidence(fake_network: Any) -> None:
    """Nothing found is None, confidence 0 and the one warning no_subject."""
    assert _measured(fake_network, np.zeros((60, 80, 3), np.uint8)) is None
    assert confidence(None) == 0.0
    assert [item.name for item in warn(None, 0, 1000)] == ["no_subject"]


def test_strong_jpeg_blocks_are_measured() -> None:
    """Quality 8 shows blocks, the original does not."""
    noise = cv2.GaussianBlur(np.random.default_rng(0).normal(128, 60, (256, 256)), (0, 0), 4) * 1.5 - 60
    picture = np.clip(noise, 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 8])
    pressed = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.float32)
    assert blockiness(pressed) > 0.35
    assert blockiness(picture) < 0.2


@pytest.mark.parametrize("mode", ["rgb", "gray", "cmyk"])
def test_blocks_of_a_large_photo_are_seen_at_its_own_scale(mode: str) -> None:
    """A large photo of low quality shows its blocks in the close-up, though not in its view."""
    coarse = np.random.default_rng(3).normal(128, 70, (100, 150)).clip(0, 255).astype(np.uint8)
    large = cv2.resize(coarse, (2400, 1600), interpolation=cv2.INTER_CUBIC)
    _, data = cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, 8])
    pressed = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    channels = {"rgb": 3, "gray": 1, "cmyk": 4}[mode]
    photo = Photo(np.repeat(pressed[..., None], channels, axis=2), mode)
    view = network_view(photo)
    close = close_up(photo, view)
    assert close is not None
    assert close.shape == (512, 512)
    assert blockiness(close) > 0.35
    assert blockiness(view[..., 0]) < 0.2
    small = Photo(photo.pixels[:600, :900], mode)
    assert close_up(small, network_view(small)) is None
    assert close_up(small, network_view(small, small_copy(small, 640))) is not None


@pytest.mark.parametrize("sigma", [2.0, 4.0, 7.0])
@pytest.mark.parametrize("side", [200, 400])
def test_the_blur_of_an_edge_is_its_standard_deviation(fake_network: Any, sigma: float, side: int) -> None:
    """A blurred edge measures as wide as it is, in thousandths of the diagonal; a sharp one as narrow."""
    sigma = sigma * side / 400
    edge = np.full((side, side, 3), 60, np.uint8)
    cv2.circle(edge, (side // 2, side // 2), side // 4, (200, 180, 190), -1)
    sharp, blurred = (
        _measured(fake_network, edge),
        _measured(fake_network, cv2.GaussianBlur(edge, (0, 0), sigma)),
    )
    assert sharp is not None
    assert blurred is not None
    diagonal = np.hypot(side, side)
    assert blurred.blur * diagonal / 1000 == pytest.approx(sigma, rel=0.3)
    assert sharp.blur * diagonal / 1000 < 0.8


@pytest.mark.parametrize(
    ("change", "subjects", "longest", "expected"),
    [
        ({}, 1, 2000, []),
        ({}, 3, 2000, ["several_subjects"]),
        ({"frame": 0.2}, 1, 2000, ["touches_frame"]),
        ({"contrast": 0.02}, 1, 2000, ["low_contrast"]),
        ({"contrast": 0.09}, 1, 2000, ["similar_colours"]),
        ({"blur": 6.0}, 1, 2000, ["motion_blur"]),
        ({"blocks": 0.9}, 1, 2000, ["over_compressed"]),
        ({}, 1, 200, ["low_resolution"]),
        ({"haze": 0.5}, 1, 2000, ["uncertain_area"]),
        ({"agreement": 0.3}, 1, 2000, ["uncertain_area"]),
        ({"networks": 2, "agreement": 0.3}, 1, 2000, []),
        ({"networks": 2, "consent": 0.3}, 1, 2000, ["uncertain_area"]),
    ],
)
def test_each_warning_has_its_cause(
    change: dict[str, float], subjects: int, longest: int, expected: list[str]
) -> None:
    """One measure beyond its bound raises exactly its own warning, with a sentence that gives a number."""
    raised = warn(replace(GOOD, **change), subjects, longest)
    assert [item.name for item in raised] == expected
    for item in raised:
        assert any(letter.isdigit() for letter in item.sentence)
        assert item.sentence.endswith(".")


@pytest.mark.parametrize("before", [None, 8])
@pytest.mark.parametrize("quality", [8, 20, 93, 98])
def test_a_jpegs_own_table_is_asked_about_compression(
    fake_network: Any, tmp_path: Path, quality: int, before: int | None
) -> None:
    """A smooth sweep at quality 93 is not over-compressed; at 8 it is, also after it was saved anew."""
    disc = np.zeros((400, 500), np.float32)
    cv2.circle(disc, (250, 200), 100, 1.0, -1)
    light = np.random.default_rng(0).normal(200 - 90 * disc, 3)
    light += np.linspace(0, 30, 500) - 12 * np.cos(np.arange(400) / 40)[:, None]
    picture = np.clip(light, 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    path = tmp_path / "sweep.jpg"
    for each in (before, quality):
        if each is not None:
            cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, each])
            picture = np.asarray(cv2.imread(str(path)), np.uint8)
    photo = read_photo(path)
    assert photo.quality == pytest.approx(quality, abs=6)  # the least qualities run into the largest step
    found = _measured(fake_network, np.asarray(photo.pixels, np.uint8))
    names = [item.name for item in warn(found, 1, 500, quality=photo.quality)]
    assert ("over_compressed" in names) == (quality <= 20 or before is not None), found


def test_doubt_lowers_confidence() -> None:
    """Looks that disagree have less confidence than looks that agree; so has one look that is undecided."""
    assert confidence(replace(GOOD, agreement=0.75)) < 0.5
    assert confidence(GOOD) > 0.75
    alone = replace(GOOD, looks=1, agreement=1.0)
    assert confidence(replace(alone, decided=0.6)) < 0.6 < confidence(alone)


def test_one_look_cannot_agree_with_itself() -> None:
    """The agreement of a single look, which is always full, does not count."""
    alone = replace(GOOD, looks=1, agreement=1.0)
    assert confidence(alone) == confidence(replace(alone, agreement=0.5))


def test_networks_agree_less_than_the_looks_of_one() -> None:
    """What two networks share is told by a curve of its own, in which they need not agree as well."""
    apart = replace(GOOD, agreement=0.85, consent=0.85)
    assert confidence(replace(apart, networks=2, looks=5)) > confidence(apart) + 0.1


def test_each_network_of_a_segmentation_is_counted_once(
    fake_network: Any, discs: Callable[..., NDArray[np.float32]]
) -> None:
    """Two networks with two or three looks each are two."""
    view = _view(discs)
    both = [
        fake_network(lambda seen: (seen[..., 0] > 128).astype(np.float32), name=name)
        for name in ("one", "two")
    ]
    segmentation = segment(view, both, "balanced")
    found = measure(view, segmentation, segmentation.probability)
    assert found is not None
    assert (found.networks, found.looks) == (2, len(segmentation.predictions))
    assert found.looks > 3


def test_consent_weighs_every_look_at_the_whole(
    fake_network: Any, discs: Callable[..., NDArray[np.float32]]
) -> None:
    """A look gone astray lowers agreement to nearly nothing, and consent by what it is among the others."""
    view = _view(discs)

    def in_the_mirror(seen: NDArray[np.uint8]) -> NDArray[np.float32]:
        found = (seen[..., 0] > 128).astype(np.float32)
        return found if np.array_equal(seen, view) else 1 - found

    steady = [
        fake_network(lambda seen: (seen[..., 0] > 128).astype(np.float32), name=name) for name in ("a", "b")
    ]
    found, lost = (
        measure(view, segmentation, segmentation.probability)
        for segmentation in (
            segment(view, steady, "best"),
            segment(view, [steady[0], fake_network(in_the_mirror)], "best"),
        )
    )
    assert found is not None
    assert lost is not None
    assert found.consent > 0.98
    assert lost.agreement < 0.2
    assert 0.5 < lost.consent < found.consent


def test_the_shipped_curves_name_measures_and_rise_with_them() -> None:
    """Each curve of the calibration names measures that there are, and better ones mean more confidence."""
    for curve in shipped_curves().values():
        for name in curve.slopes:
            best, worse = {"haze": (0.0, 0.3), "half_seen": (0.0, 0.3), "looks": (1, 3)}.get(name, (1.0, 0.5))
            stretched = curve.confidence(replace(GOOD, **{name: best}))
            assert curve.confidence(replace(GOOD, **{name: worse})) < stretched < 1.0


def test_a_curve_is_logistic_in_the_doubt() -> None:
    """Slope 0 and bias 0 is one half; at a measure of 1 the doubt is ln 0.01."""
    assert Curve({"agreement": 0.0}, 0.0).confidence(GOOD) == 0.5
    full = replace(GOOD, agreement=1.0, haze=0.0)
    assert Curve({"agreement": -1.0}, 0.0).confidence(full) == pytest.approx(1 / 1.01)
    assert Curve({"haze": -1.0}, 0.0).confidence(full) == pytest.approx(1 / 1.01)
    assert Curve({"haze": -1.0, "agreement": 1.0}, 0.0).confidence(full) == pytest.approx(0.5)


@pytest.mark.network
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_picture_is_empty_and_says_so(level: int) -> None:
    """A flat picture gives an empty matte, the warning no_subject and confidence 0."""
    cutout = Engine().cut(Photo(np.full((300, 400, 3), level, np.uint8), "rgb"), CutSettings(model="u2netp"))
    assert not cutout.alpha.any()
    assert cutout.report.warnings == ("no_subject",)
    assert cutout.report.confidence == 0.0


@pytest.mark.network
def test_a_real_portrait_is_solid_and_confident(shipped_photos: dict[str, Any]) -> None:
    """The astronaut's inside is quite opaque, and the report names the looks that found her."""
    pixels = cv2.cvtColor(cv2.imread(str(shipped_photos["astronaut.png"])), cv2.COLOR_BGR2RGB)
    cutout = Engine().cut(Photo(np.ascontiguousarray(pixels), "rgb"), CutSettings(model="u2netp"))
    subject = cutout.alpha >= 128
    assert (cutout.alpha[subject] == 255).mean() > 0.8
    assert "u2netp mirrored" in cutout.report.looks
    assert 0 < cutout.report.confidence < 1
