"""What the engine knows about its answers and its work, in the user's words. Standard library only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mattebox.gimp_plugin.mattebox.words import _
else:
    try:
        from words import _
    except ImportError:  # imported as a part of mattebox, not run by GIMP
        from mattebox.gimp_plugin.mattebox.words import _

SURE = 0.6  # from this confidence on nobody is told a number; README's hot folders review below it too
_SELECT_A_PART = _("Look at the mask, or select a part and cut only inside the selection")
# Each warning of the engine (core/report/advice.py): what is the matter, and what to do about it in GIMP. The
# order is the weight: one line has room for one deed.
WARNINGS = {
    "point_not_found": (_("nothing was found at a point"), _("Point at the middle of the subject")),
    "uncertain_area": (_("parts of it may or may not belong to the subject"), _SELECT_A_PART),
    "undecided_part": (_("a part may or may not belong to it"), _SELECT_A_PART),
    "encloses_background": (
        _("what it encloses may be background"),
        _("Look into its gaps, or paint them out with Mask by Clicking"),
    ),
    "several_subjects": (
        _("several separate subjects were kept"),
        _("To keep one, select it and cut only inside the selection"),
    ),
    "similar_colours": (_("subject and background look alike at the edge"), _("Check the outline")),
    "low_contrast": (
        _("subject and background are equally bright at the edge"),
        _("Check the outline, or brighten a copy of the layer first"),
    ),
    "motion_blur": (_("the subject's edge is blurred"), _("Check the edge, or choose soft edges")),
    "over_compressed": (
        _("JPEG blocks are visible"),
        _("Start from a file of higher quality where there is one"),
    ),
    "low_resolution": (_("the layer is small"), _("Start from a larger picture where there is one")),
    "touches_frame": (
        _("the subject touches the edge of the layer"),
        _("Check that nothing of it is missing"),
    ),
}
# Facts that are no doubt of the cutout alone: said together with others or a low confidence.
_FACTS = ("touches_frame", "low_resolution", "over_compressed")
# What the engine says in English while it works, and what it says of every layer.
ENGINE = {
    "Waiting for another cutout": _("Waiting for another cutout"),
    "Loading the network": _("Loading the network"),
    "Looking at the whole picture": _("Looking at the whole picture"),
    "Finding the subject": _("Finding the subject"),
    "Deciding what belongs to it": _("Deciding what belongs to it"),
    "Refining the edges": _("Refining the edges"),
    "Cleaning the colours": _("Cleaning the colours"),
    "There is not enough memory for a layer of this size.": _(
        "There is not enough memory for a layer of this size; nothing was changed."
    ),
}
_FETCHING = re.compile(r"Fetching (?P<name>.+?)(: (?P<share>\d+) %)?")


def of_engine(text: str) -> str:
    """What the engine says, in the user's language where it is known."""
    fetching = _FETCHING.fullmatch(text)
    if fetching is None:
        return ENGINE.get(text, text)
    if fetching["share"] is None:
        return _("Fetching {name}").format(name=fetching["name"])
    return _("Fetching {name}: {share} %").format(**fetching.groupdict())


def not_enough_memory() -> str:
    """What is said where memory ends."""
    return _("There is not enough memory for a layer of this size; nothing was changed.")


def nothing_found(name: str, source: str, inside: bool) -> str:
    """Why a layer of this name got nothing: source is what was asked, as in Options."""
    if source == "mask":
        said = _(
            "The mask of the layer “{name}” shows nothing whose edges could be refined; nothing was changed."
        )
    elif source == "selection":
        said = _("The selection holds nothing of the layer “{name}” to refine; nothing was changed.")
    elif inside:
        said = _(
            "No subject was found inside the selection on the layer “{name}”; nothing was changed. Select "
            "more of it."
        )
    else:
        said = _(
            "No subject was found in the layer “{name}”; nothing was changed. Select around it and cut only "
            "inside the selection, or try another network."
        )
    return said.format(name=name)


def left_out(names: Sequence[str]) -> str:
    """Which of several layers got nothing."""
    return _("No subject was found in {names}, so nothing was changed there.").format(names=_listed(names))


def stays_shown(names: Sequence[str]) -> str:
    """Which layers could not be hidden below their cutouts."""
    return _(
        "{names}: locked visible, so the original still shows below the cutout; unlock its visibility and "
        "hide it."
    ).format(names=_listed(names))


def doubt(name: str, report: dict[str, Any], alone: bool) -> str:
    """One line where the engine is not sure of an answer, else nothing. `alone`: it is the only layer."""
    confidence = report.get("confidence")
    low = isinstance(confidence, (int, float)) and confidence < SURE
    known = _known(report)
    if not low and not [warning for warning in known if warning not in _FACTS]:
        return ""
    if isinstance(confidence, (int, float)):
        said = _("Mattebox is {share} sure") if alone else _("Mattebox is {share} sure of “{name}”")
        head = said.format(share=f"{confidence:.0%}", name=name)
    else:
        said = _("Mattebox is not sure") if alone else _("Mattebox is not sure of “{name}”")
        head = said.format(name=name)
    if not known:
        return _("{head}. {deed}.").format(head=head, deed=_("Look at the mask before you use it"))
    what = ", ".join(WARNINGS[warning][0] for warning in known)
    return _("{head}: {what}. {deed}.").format(head=head, what=what, deed=WARNINGS[known[0]][1])


def advice(report: dict[str, Any]) -> str:
    """What the weightiest warning of a report says to do, or nothing."""
    known = _known(report)
    return f"{WARNINGS[known[0]][1]}." if known else ""


def _known(report: dict[str, Any]) -> list[str]:
    """A report's warnings that have words, in the order of their weight."""
    raised = report.get("warnings", [])
    return [warning for warning in WARNINGS if warning in raised]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(_("“{name}”").format(name=name) for name in names)
