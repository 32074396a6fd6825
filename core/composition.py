"""Composition: the finished picture as layers, which every writer flattens or keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mattebox.core.patched import Patched
    from mattebox.core.photo import ColourMode, Photo, Pixels
    from mattebox.core.settings.label import Label


@dataclass(frozen=True, slots=True, eq=False)
class Composition:
    """The canvas of one finished picture; all arrays have its size and the photo's dtype.

    original: (h, w, c) the photo's untouched pixels on the canvas.
    colours: (h, w, c) straight foreground colours (may be `original` itself, or patches on it).
    alpha: (h, w) the matte.
    outline: (h, w) opacity of a line below the subject and above the shadow, or None, and its colour
        as channel values.
    shadow: (h, w) opacity of a black shadow below the subject, or None.
    background: None (transparent), a colour of c channel values in the photo's mode and depth,
        or (h, w, c) pixels.
    notes: sentences about what finishing did or could not do.
    photo: where mode, depth, ICC, EXIF, XMP and DPI come from, and the untouched source.
    label: what the XMP of its files says beside, or None.
    """

    photo: Photo
    original: Pixels
    colours: Pixels | Patched
    alpha: Pixels
    shadow: Pixels | None = None
    background: tuple[int, ...] | Pixels | None = None
    outline: Pixels | None = None
    outline_colour: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    label: Label | None = None

    @property
    def mode(self) -> ColourMode:
        """The colour mode of all pixels here."""
        return self.photo.mode

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the canvas in pixels."""
        return int(self.alpha.shape[1]), int(self.alpha.shape[0])
