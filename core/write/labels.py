"""The label of a finished picture, decided once for all of its files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mattebox.core.settings.label import Decision, label_of

if TYPE_CHECKING:
    from mattebox.core.composition import Composition
    from mattebox.core.settings.label import LabelSettings

_DAMAGED: Final = (
    "The outputs have no label, for the photo's XMP is damaged or of too many parts; it is as it was."
)


def with_label(
    composition: Composition,
    settings: LabelSettings | None,
    confidence: float,
    warnings: tuple[str, ...],
    *,
    approved: bool,
) -> tuple[Composition, tuple[str, ...]]:
    """The composition with the label that its files get, and a sentence where the photo's XMP takes none.

    approved: the matte is a person's.
    """
    if settings is None or settings.into == "sidecar":
        return composition, ()
    from mattebox.core.photo.xmp_label import labelled  # noqa: PLC0415 - a reader of XML, only for labels

    label = label_of(settings, Decision(confidence, warnings, "approved" if approved else None))
    xmp = composition.photo.xmp
    notes = (_DAMAGED,) if label is not None and xmp and labelled(xmp, label) is None else ()
    return replace(composition, label=label), notes
