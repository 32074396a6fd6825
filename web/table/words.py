"""Words: the names of warnings as a person reads them in a list; rules and reports keep the names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

WARNINGS: Final = {
    "no_subject": "nothing found",
    "several_subjects": "several subjects",
    "touches_frame": "touches the frame",
    "low_contrast": "little contrast at the edge",
    "similar_colours": "background looks alike",
    "motion_blur": "blurred edge",
    "over_compressed": "JPEG blocks",
    "low_resolution": "few pixels",
    "undecided_part": "a part may belong or not",
    "encloses_background": "background may show through",
    "uncertain_area": "large unsure area",
    "point_not_found": "what was pointed at was not found",
}


def in_words(names: Iterable[str]) -> list[str]:
    """Each warning in words; one that is not known here, such as a newer version's, without its dashes."""
    return [WARNINGS.get(name, name.replace("_", " ")) for name in names]
