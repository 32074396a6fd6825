"""Engine.cut: a rough answer in place of a network's, and a say in whether to go on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mattebox.core.engine import Engine
from mattebox.core.photo import Photo
from mattebox.core.settings import CutSettings
from mattebox.models.store import Store


class Enough(Exception):  # noqa: N818 - stands for a cancel, which is no error
    """Stops a cut."""


def photo() -> Photo:
    """A bright square on a dark ground."""
    pixels = np.full((40, 60, 3), 20, np.uint8)
    pixels[10:30, 20:40] = 220
    return Photo(pixels=pixels, mode="rgb")


def test_a_rough_answer_needs_no_network(tmp_path: Path) -> None:
    """With a rough outline the empty store is never asked, and the matte follows the outline."""
    rough = np.zeros((40, 60), np.float32)
    rough[10:30, 20:40] = 1.0
    rough[10:14, 20:24] = 0.0
    cutout = Engine(Store(tmp_path)).cut(photo(), CutSettings(), rough=rough)
    assert cutout.alpha[20, 30] == 255
    assert cutout.alpha[2, 2] == 0
    assert cutout.report.model == ""


def test_what_heed_raises_stops_the_work(tmp_path: Path) -> None:
    """Each step is announced before it begins, and an exception there ends the cut."""
    heard = []

    def on_step(step: str) -> None:
        heard.append(step)
        if step == "refine":
            raise Enough

    with pytest.raises(Enough):
        Engine(Store(tmp_path)).cut(
            photo(), CutSettings(), rough=np.ones((4, 4), np.float32), on_step=on_step
        )
    assert heard == ["refine"]


@pytest.mark.network
@pytest.mark.slow
def test_an_engine_for_one_photo_holds_no_network_afterwards() -> None:
    """Its network goes when it has seen the photo, whose map is the same; another photo loads it anew."""
    settings = CutSettings(model="u2netp", quality="fast")
    once, kept = Engine(once=True), Engine()
    for _ in range(2):
        assert np.array_equal(
            once.segment(photo(), settings).probability, kept.segment(photo(), settings).probability
        )
        assert once.loaded == ()
        assert kept.loaded == ("u2netp",)
