"""Crop, margin and canvas put the subject where the settings say, the same in every photo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattebox.core.errors import SettingsError
from mattebox.core.finish import finish
from mattebox.core.finish.layout import place, solid_box, visible_box
from mattebox.core.settings import FinishSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattebox.core.cutout import Cutout


def test_without_settings_nothing_is_copied_or_changed(cutout: Callable[..., Cutout]) -> None:
    """The default finish hands the cutout's own arrays on."""
    cut = cutout()
    made = finish(cut, FinishSettings())
    assert made.original is cut.photo.pixels
    assert made.colours is cut.photo.pixels
    assert made.alpha is cut.alpha
    assert made.background is None
    assert made.shadow is None


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("mode", ["gray", "rgb", "cmyk"])
def test_a_crop_copies_bits(cutout: Callable[..., Cutout], kind: type, mode: str) -> None:
    """Cropping to the subject with a margin is a slice of the photo, bit for bit."""
    cut = cutout(kind=kind, mode=mode)
    left, top, right, bottom = visible_box(cut.alpha) or (0, 0, 0, 0)
    made = finish(cut, FinishSettings.model_validate({"crop": "subject", "margin": "10px"}))
    window = np.s_[top - 10 : bottom + 10, left - 10 : right + 10]
    assert np.array_equal(made.original, cut.photo.pixels[window])
    assert np.array_equal(made.alpha, cut.alpha[window])


def test_a_margin_beyond_the_photo_is_empty(cutout: Callable[..., Cutout]) -> None:
    """Where the margin reaches over the photo's edge there is nothing: alpha 0."""
    made = finish(cutout(), FinishSettings.model_validate({"margin": [5, 6, 7, 8]}))
    assert made.size == (300 + 6 + 8, 200 + 5 + 7)
    assert (made.alpha[:5] == 0).all()
    assert (made.alpha[:, -6:] == 0).all()


@pytest.mark.parametrize("position", ["center", "bottom", "top-left", [30, 70]])
@pytest.mark.parametrize("extra", [{}, {"scale": "70%"}, {"fit": "shrink"}, {"margin": "10%"}])
def test_the_same_subject_lands_in_the_same_box(
    cutout: Callable[..., Cutout], position: object, extra: dict[str, object]
) -> None:
    """Wherever the subject stood and however large its photo was, its box is the same within a pixel."""
    settings = FinishSettings.model_validate(
        {"crop": "subject", "canvas": [400, 300], "position": position, **extra}
    )
    boxes = []
    for size, centre in [((300, 200), (120, 90)), ((500, 333), (401.3, 100.7)), ((301, 160), (60, 70.5))]:
        boxes.append(solid_box(finish(cutout(size, centre), settings).alpha))
    for box in boxes[1:]:
        assert np.abs(np.subtract(box, boxes[0])).max() <= 1, boxes


@pytest.mark.parametrize("factor", [0.5, 1.7, 4.0])
def test_a_larger_picture_of_the_subject_lands_in_the_same_box(
    cutout: Callable[..., Cutout], factor: float
) -> None:
    """The same subject taken at another size fills the same box of the canvas within a pixel."""
    settings = FinishSettings.model_validate({"crop": "subject", "canvas": [200, 200], "margin": "5%"})
    first = solid_box(finish(cutout(), settings).alpha)
    size, centre, axes = (
        (round(300 * factor), round(200 * factor)),
        (120 * factor, 90 * factor),
        (50 * factor, 30 * factor),
    )
    other = solid_box(finish(cutout(size, centre, axes), settings).alpha)
    assert np.abs(np.subtract(first, other)).max() <= 1, (first, other)


@given(
    width=st.integers(1, 5000),
    height=st.integers(1, 5000),
    canvas=st.tuples(st.integers(50, 4000), st.integers(50, 4000)),
    margin=st.floats(0, 40),
    position=st.tuples(st.floats(0, 100), st.floats(0, 100)),
)
def test_a_contained_frame_lies_within_its_margins(
    width: int, height: int, canvas: tuple[int, int], margin: float, position: tuple[float, float]
) -> None:
    """`contain` fills the room in one direction and never leaves it, whatever the position."""
    settings = FinishSettings.model_validate(
        {"canvas": canvas, "margin": f"{margin:.3f}%", "position": position}
    )
    left, top, right, bottom = place((7, 9, 7 + width, 9 + height), settings).target
    across, down = canvas[0] * margin / 100, canvas[1] * margin / 100
    assert left >= across - 1
    assert right <= canvas[0] - across + 1
    assert top >= down - 1
    assert bottom <= canvas[1] - down + 1
    room = canvas[0] - 2 * across - (right - left), canvas[1] - 2 * down - (bottom - top)
    assert min(room) <= 1


def test_margins_that_leave_no_room_are_refused() -> None:
    """A canvas that is all margin is an error that names the setting."""
    settings = FinishSettings.model_validate({"canvas": 100, "margin": "50%"})
    with pytest.raises(SettingsError, match=r"finish\.margin"):
        place((0, 0, 10, 10), settings)


def test_hidden_colours_do_not_bleed_into_the_subject_when_it_is_scaled(
    cutout: Callable[..., Cutout],
) -> None:
    """A white subject on a black photo stays white up to its rim at any scale."""
    from dataclasses import replace

    cut = cutout()
    cut.photo.pixels[...] = 0
    colours = np.where(cut.alpha[..., None] > 0, 255, cut.photo.pixels).astype(np.uint8)
    for canvas in (77, 640):
        made = finish(
            replace(cut, foreground=colours),
            FinishSettings.model_validate({"crop": "subject", "canvas": canvas}),
        )
        assert (made.colours[made.alpha > 2] >= 254).all()


def test_no_subject_leaves_the_whole_photo_and_says_so(cutout: Callable[..., Cutout]) -> None:
    """Without a subject there is nothing to crop to: the photo stays whole and a note tells it."""
    cut = cutout()
    cut.alpha[...] = 0
    made = finish(cut, FinishSettings(crop="subject"))
    assert made.size == (300, 200)
    assert "no subject" in made.notes[0]


@given(st.integers(1, 400), st.integers(1, 400), st.floats(0.0001, 0.2))
def test_a_finished_picture_has_at_most_so_many_pixels(width: int, height: int, megapixels: float) -> None:
    """It is made smaller and never larger; its shape is kept to within a pixel, as is the frame's place."""
    wanted = FinishSettings.model_validate({"megapixels": megapixels, "margin": "10px"})
    small, plain = (
        place((0.0, 0.0, float(width), float(height)), settings)
        for settings in (wanted, FinishSettings.model_validate({"margin": "10px"}))
    )
    across, down = small.canvas[0] / plain.canvas[0], small.canvas[1] / plain.canvas[1]
    assert small.canvas[0] * small.canvas[1] <= max(megapixels * 1e6, plain.canvas[0], plain.canvas[1])
    if plain.canvas[0] * plain.canvas[1] <= megapixels * 1e6:
        assert small == plain
    else:
        assert (
            abs(across * plain.canvas[1] - small.canvas[1]) <= max(1.0, plain.canvas[1] / plain.canvas[0]) + 1
        )
        assert small.target == pytest.approx(
            (
                plain.target[0] * across,
                plain.target[1] * down,
                plain.target[2] * across,
                plain.target[3] * down,
            )
        )
