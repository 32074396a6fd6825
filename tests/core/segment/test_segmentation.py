"""Predictions by test-time augmentation: what each adds, and what keeps a bad one out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mattebox.core.engine import Engine
from mattebox.core.photo import read_photo
from mattebox.core.segment.prediction import subject_frame
from mattebox.core.segment.prepare import network_input
from mattebox.core.segment.segmentation import search_frame, segment, view_side
from mattebox.core.settings import CutSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Map = NDArray[np.float32]
    Bytes = NDArray[np.uint8]
    Discs = Callable[..., Map]


def _bright(view: Bytes) -> Map:
    return view[..., 0].astype(np.float32) / 255


def _view(discs: Discs, *circles: tuple[int, int, int]) -> Map:
    return np.repeat((discs((120, 160), *circles) * 255).astype(np.uint8)[..., None], 3, axis=2)


def test_fast_predicts_once(fake_network: Any, discs: Discs) -> None:
    """`fast` asks one network once, at the whole frame."""
    network = fake_network(_bright)
    segmentation = segment(_view(discs, (40, 60, 10)), [network], "fast")
    assert segmentation.names == ("fake whole",)
    assert len(network.seen) == 1


@pytest.mark.parametrize(
    ("quality", "subject", "inputs", "side"),
    [
        ("fast", "auto", [320], 640),
        ("fast", [[3, 4]], [320], 640),
        ("fast", "auto", [320, 1024], 1024),
        ("fast", [10, 10, 60, 60], [320], 1024),
        ("balanced", "auto", [320], 1024),
        ("best", "auto", [320], 1024),
    ],
)
def test_only_a_single_look_at_the_whole_frame_takes_a_smaller_view(
    fake_network: Any, quality: Any, subject: Any, inputs: list[int], side: int
) -> None:
    """`fast` sees two pixels a side for each of its network's; whoever goes closer sees 1024."""
    networks = [fake_network(_bright) for _ in inputs]
    for network, size in zip(networks, inputs, strict=True):
        network.network.input_size = size
    assert view_side(networks, quality, CutSettings(subject=subject).subject) == side


def test_balanced_adds_the_mirror_and_the_box(fake_network: Any, discs: Discs) -> None:
    """`balanced` looks at the frame, at its mirror image and at the small subject's own box."""
    network = fake_network(_bright)
    view = _view(discs, (40, 60, 10))
    segmentation = segment(view, [network], "balanced")
    assert segmentation.names == ("fake whole", "fake mirrored", "fake box")
    np.testing.assert_array_equal(network.seen[1], view[:, ::-1])
    assert network.seen[2].shape[0] < view.shape[0]
    np.testing.assert_allclose(segmentation.probability, _bright(view), atol=1e-6)


def test_mirror_averages_a_one_sided_network(fake_network: Any, discs: Discs) -> None:
    """A network that favours the left half of what it sees is evened out by the mirrored look."""

    def left_only(view: Bytes) -> Map:
        answer = _bright(view) * 0.9
        answer[:, : view.shape[1] // 2] *= 0.5
        return answer

    view = _view(discs, (80, 60, 75))
    view = np.maximum(view, view[:, ::-1])
    segmentation = segment(view, [fake_network(left_only)], "balanced")
    np.testing.assert_allclose(segmentation.probability, segmentation.probability[:, ::-1], atol=1e-6)


def test_a_subject_that_fills_the_frame_needs_no_box(fake_network: Any, discs: Discs) -> None:
    """No box look is made where the box would be the frame."""
    assert segment(_view(discs, (80, 60, 78)), [fake_network(_bright)], "balanced").names == (
        "fake whole",
        "fake mirrored",
    )


def test_a_box_look_that_disagrees_is_kept_out(fake_network: Any, discs: Discs) -> None:
    """A closer look that finds something else changes nothing and is not among the used looks."""
    view = _view(discs, (40, 60, 10))

    def fickle(seen: Bytes) -> Map:
        return _bright(seen) if seen.shape == view.shape else 1 - _bright(seen)

    segmentation = segment(view, [fake_network(fickle)], "balanced")
    assert segmentation.names == ("fake whole", "fake mirrored")
    assert [prediction.augmentation for prediction in segmentation.predictions] == [
        "whole",
        "mirrored",
        "box",
    ]
    np.testing.assert_allclose(segmentation.probability, _bright(view), atol=1e-6)


def test_large_networks_take_no_box_look(fake_network: Any, discs: Discs) -> None:
    """A network that sees 1024 pixels a side looks twice, not three times."""
    network = fake_network(_bright)
    network.network.input_size = 1024
    assert segment(_view(discs, (40, 60, 10)), [network], "best").names == ("fake whole", "fake mirrored")


def test_a_search_box_confines_the_answer(fake_network: Any, discs: Discs) -> None:
    """With a box of the user's nothing outside it (and its small margin) is ever found."""
    view = _view(discs, (40, 60, 10), (120, 60, 10))
    frame = search_frame((200.0, 80.0, 280.0, 160.0), view, 0.5)
    segmentation = segment(view, [fake_network(_bright)], "balanced", frame)
    assert not segmentation.probability[:, :90].any()
    assert segmentation.probability[60, 120] == pytest.approx(1.0)


def test_a_search_box_beyond_the_photo_is_empty_not_an_error(fake_network: Any, discs: Discs) -> None:
    """A box that lies outside the photo still gives a frame of at least one pixel."""
    view = _view(discs, (40, 60, 10))
    left, top, right, bottom = search_frame((900.0, 900.0, 950.0, 950.0), view, 1.0)
    assert left < right <= 160
    assert top < bottom <= 120


def test_specks_do_not_stretch_the_box(discs: Discs) -> None:
    """A part below a tenth of the largest has no say in the subject's box."""
    alone = subject_frame(discs((120, 160), (40, 60, 15)), (0, 0, 160, 120), 0.2)
    assert subject_frame(discs((120, 160), (40, 60, 15), (150, 10, 2)), (0, 0, 160, 120), 0.2) == alone


def test_nothing_has_no_box(discs: Discs) -> None:
    """An empty map has no subject's box."""
    assert subject_frame(discs((120, 160)), (0, 0, 160, 120), 0.2) is None


def test_a_box_look_that_sees_less_takes_nothing_away(fake_network: Any, discs: Discs) -> None:
    """Of a subject that two looks are sure of stays what a closer look, else agreeing, calls background."""
    view = _view(discs, (70, 60, 30))

    def blind_to_the_top(seen: Bytes) -> Map:
        answer = _bright(seen)
        if seen.shape != view.shape:
            answer[: seen.shape[0] // 3] = 0.0
        return answer

    segmentation = segment(view, [fake_network(blind_to_the_top)], "balanced")
    assert segmentation.predictions[2].used
    assert ((segmentation.probability >= 0.5) == (_bright(view) >= 0.5)).all()


def test_a_box_look_decides_where_the_others_doubt(fake_network: Any, discs: Discs) -> None:
    """A part that two looks see faintly, and that the closer look is sure of, becomes subject."""
    view = _view(discs, (70, 60, 30))

    def short_sighted(seen: Bytes) -> Map:
        answer = _bright(seen)
        if seen.shape == view.shape:
            answer[75:] *= 0.4
        return answer

    segmentation = segment(view, [fake_network(short_sighted)], "balanced")
    assert segmentation.predictions[2].used
    assert segmentation.probability[80, 70] > 0.6


def test_a_mirrored_look_gone_astray_is_outvoted(fake_network: Any, discs: Discs) -> None:
    """Where the mirrored look finds too much and the closer one finds what the first found, that stands."""
    view = _view(discs, (40, 60, 22))
    mirrored = np.ascontiguousarray(view[:, ::-1])

    def astray(seen: Bytes) -> Map:
        answer = _bright(seen)
        if seen.shape == view.shape and np.array_equal(seen, mirrored):
            answer[:, 60:] = np.maximum(answer[:, 60:], 0.95)
        return answer

    segmentation = segment(view, [fake_network(astray)], "balanced")
    assert segmentation.predictions[2].used
    # Where all three counted alike, 0.43 would be left.
    assert segmentation.probability[:, 100:].max() < 0.35
    assert ((segmentation.probability >= 0.5) == (_bright(view) >= 0.5)).all()


def test_a_network_that_contradicts_itself_cannot_hide_the_subject(fake_network: Any, discs: Discs) -> None:
    """Beside a steady network, one that finds another thing in the mirror does not change what is subject."""
    view = _view(discs, (40, 60, 20))

    def left_of_what_it_sees(seen: Bytes) -> Map:
        return np.broadcast_to(np.linspace(1, 0, seen.shape[1], dtype=np.float32), seen.shape[:2])

    segmentation = segment(
        view, [fake_network(_bright, "steady"), fake_network(left_of_what_it_sees, "fickle")], "best"
    )
    assert ((segmentation.probability >= 0.5) == (_bright(view) >= 0.5)).all()


def test_best_is_a_quality_that_settings_know() -> None:
    """The qualities of the settings are those that segment() takes."""
    assert [CutSettings(quality=name).quality for name in ("fast", "balanced", "best")] == [
        "fast",
        "balanced",
        "best",
    ]


def _steps_across(probability: Map, box: tuple[int, int, int, int], along: Map) -> float:
    """The largest mean jump over 12 pixels in a row along a box's border, beyond that of `along` there."""
    height, width = probability.shape
    left, top, right, bottom = box
    lines = [
        *((slice(top, bottom), slice(x - 1, x + 1), 1) for x in (left, right) if 0 < x < width),
        *((slice(y - 1, y + 1), slice(left, right), 0) for y in (top, bottom) if 0 < y < height),
    ]
    jumps = [0.0]
    for rows, columns, axis in lines:
        own, other = (np.diff(each[rows, columns], axis=axis).ravel() for each in (probability, along))
        jumps.append(float(np.convolve(np.abs(own - other), np.ones(12) / 12, "valid").max()))
    return max(jumps)


@pytest.mark.parametrize("networks", [1, 2])
def test_no_border_of_a_look_shows(fake_network: Any, discs: Discs, networks: int) -> None:
    """Where a closer look sees more than the others at its own border, no straight line is left of that.

    One network and an ensemble alike: the box cuts through what the closer look believes in.
    """
    view = _view(discs, (70, 60, 30))

    def sees_more_when_close(seen: Bytes) -> Map:
        floor = 0.45 if seen.shape == view.shape else 0.95
        return np.maximum(_bright(seen), np.float32(floor))

    segmentation = segment(view, [fake_network(sees_more_when_close, str(n)) for n in range(networks)])
    frames = {look.frame for look in segmentation.predictions if look.used} - {(0, 0, 160, 120)}
    assert frames
    flat = np.zeros_like(segmentation.probability)
    for frame in frames:
        assert _steps_across(segmentation.probability, frame, flat) < 0.15


@pytest.mark.slow
@pytest.mark.network
def test_no_border_of_a_look_shows_in_photos(shipped_photos: dict[str, Path]) -> None:
    """In real photos the map jumps along the closer look's border no more than the looks at the whole do."""
    engine, checked = Engine(), 0
    for path in shipped_photos.values():
        view = network_input(read_photo(path)).enhanced
        found = segment(view, engine.segmenters(CutSettings()))
        whole = found.predictions[0].map
        for look in found.predictions:
            if look.used and look.frame != found.predictions[0].frame:
                assert _steps_across(found.probability, look.frame, whole) < 0.05
                checked += 1
    assert checked
