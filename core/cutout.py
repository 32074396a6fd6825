"""Cutout: a photo, its matte, its clean colours and the report about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mattebox.core.patched import Patched, whole

if TYPE_CHECKING:
    from mattebox.core.photo import Photo, Pixels
    from mattebox.core.report.cut_report import CutReport


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """What the engine made of one photo.

    alpha: (h, w), the photo's own size and dtype (uint8 0..255 or uint16 0..65535).
    foreground: (h, w, c), the photo's dtype: straight colours, equal to the photo's pixels where
        alpha is full; None when decontamination was not asked for (then the photo's pixels stand).
    """

    photo: Photo
    alpha: Pixels
    foreground: Pixels | Patched | None
    report: CutReport

    @property
    def colours(self) -> Pixels:
        """The straight colours to write under the matte, (h, w, c), to be read only."""
        return whole(self.shown)

    @property
    def shown(self) -> Pixels | Patched:
        """The same colours without a copy of the photo."""
        clean = self.foreground
        if clean is None or (isinstance(clean, Patched) and not clean.patches):
            return self.photo.pixels
        return clean
