"""What the engine knows about its answers, in words for GIMP's message area. Standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

SURE = 0.6  # from this confidence on nobody is told a number; README's hot folders review below it too
# Each warning of the engine (core/report/advice.py): what is the matter, and what to do about it in GIMP. The
# order is the weight: one line has room for one deed.
WARNINGS = {
    "point_not_found": ("nothing was found at a point", "Point at the middle of the subject"),
    "uncertain_area": (
        "parts of it may or may not belong to the subject",
        "Look at the mask, or select a part and cut only inside the selection",
    ),
    "undecided_part": (
        "a part may or may not belong to it",
        "Look at the mask, or select a part and cut only inside the selection",
    ),
    "encloses_background": (
        "what it encloses may be background",
        "Look into its gaps, or paint them out with Mask by Clicking",
    ),
    "several_subjects": (
        "several separate subjects were kept",
        "To keep one, select it and cut only inside the selection",
    ),
    "similar_colours": ("subject and background look alike at the edge", "Check the outline"),
    "low_contrast": (
        "subject and background are equally bright at the edge",
        "Check the outline, or brighten a copy of the layer first",
    ),
    "motion_blur": ("the subject's edge is blurred", "Check the edge, or choose soft edges"),
    "over_compressed": ("JPEG blocks are visible", "Start from a file of higher quality where there is one"),
    "low_resolution": ("the layer is small", "Start from a larger picture where there is one"),
    "touches_frame": ("the subject touches the edge of the layer", "Check that nothing of it is missing"),
}
# Facts that are no doubt of the cutout alone: said together with others or a low confidence.
_FACTS = ("touches_frame", "low_resolution", "over_compressed")


def nothing_found(name: str, source: str, inside: bool) -> str:
    """Why a layer of this name got nothing: source is what was asked, as in Options."""
    if source == "mask":
        return (
            f"The mask of the layer “{name}” shows nothing whose edges could be refined; nothing was changed."
        )
    if source == "selection":
        return f"The selection holds nothing of the layer “{name}” to refine; nothing was changed."
    if inside:
        return (
            f"No subject was found inside the selection on the layer “{name}”; nothing was changed. "
            "Select more of it."
        )
    return (
        f"No subject was found in the layer “{name}”; nothing was changed. Select around it and cut only "
        "inside the selection, or try another network."
    )


def left_out(names: Sequence[str]) -> str:
    """Which of several layers got nothing."""
    return f"No subject was found in {_listed(names)}, so nothing was changed there."


def stays_shown(names: Sequence[str]) -> str:
    """Which layers could not be hidden below their cutouts."""
    verb = "is" if len(names) == 1 else "are"
    return (
        f"{_listed(names)} {verb} locked visible, so the original still shows below the cutout; unlock its "
        "visibility and hide it."
    )


def doubt(name: str, report: dict[str, Any], alone: bool) -> str:
    """One line where the engine is not sure of an answer, else nothing. `alone`: it is the only layer."""
    confidence = report.get("confidence")
    low = isinstance(confidence, (int, float)) and confidence < SURE
    raised = report.get("warnings", [])
    known = [warning for warning in WARNINGS if warning in raised]
    if not low and not [warning for warning in known if warning not in _FACTS]:
        return ""
    share = f"{confidence:.0%} sure" if isinstance(confidence, (int, float)) else "not sure"
    where = "" if alone else f" of “{name}”"
    what = ", ".join(WARNINGS[warning][0] for warning in known)
    deed = WARNINGS[known[0]][1] if known else "Look at the mask before you use it"
    return f"Mattebox is {share}{where}{': ' if what else ''}{what}. {deed}."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)
