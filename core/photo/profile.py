"""Whether a photo's colour profile can be used, and what becomes of one that cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattebox.core.photo.colour import has_usable_profile
from mattebox.core.photo.icc import SPACES, colour_space, gray_of

if TYPE_CHECKING:
    from mattebox.core.photo.model import ColourMode


def fitting_profile(icc: bytes | None, mode: ColourMode) -> tuple[bytes | None, tuple[str, ...]]:
    """The profile for pixels of `mode`, and a sentence where the file's own one had to go.

    A gray picture tagged with an RGB profile, as cameras and programs do, gets that one's curve.
    """
    if icc is None:
        return None, ()
    space = colour_space(icc)
    if space == b"RGB " and mode == "gray":
        made = gray_of(icc)
        if made is not None and has_usable_profile("gray", made):
            return made, ()
    if space == SPACES[mode] and has_usable_profile(mode, icc):
        return icc, ()
    known = (space or b"").decode("ascii", "replace").strip()
    said = {"gray": "gray", "rgb": "RGB", "cmyk": "CMYK"}[mode]
    if known in {"RGB", "GRAY", "CMYK", "Lab", "XYZ"} and space != SPACES[mode]:
        why = f"is one for {'gray' if known == 'GRAY' else known} and the photo is {said}"
    else:
        why = "is damaged"
    return None, (f"The photo's colour profile {why}; it was left out, and the photo is shown without it.",)
