"""From a cutout to the finished picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattebox.core.composition import Composition

if TYPE_CHECKING:
    from mattebox.core.cutout import Cutout
    from mattebox.core.settings import FinishSettings


def finish(cutout: Cutout, _settings: FinishSettings) -> Composition:
    """The finished picture of `cutout`: its canvas, placed subject, shadow and background."""
    return Composition(
        photo=cutout.photo,
        original=cutout.photo.pixels,
        colours=cutout.colours,
        alpha=cutout.alpha,
    )
