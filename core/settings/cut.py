"""CutSettings: how the subject is found and its matte computed."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, field_validator

from mattebox.core.settings.backdrop import Backdrop  # noqa: TC001 - pydantic reads it at run time
from mattebox.core.settings.base import Settings
from mattebox.core.settings.limits import ReadLimits
from mattebox.core.settings.prompts import Box, Points, PromptSettings

# What people write for the words of the vocabulary.
_SUBJECTS: Final = {
    "auto": "auto",
    "all": "auto",
    "largest": "largest",
    "centre": "centre",
    "center": "centre",
}
_WRITE_SUBJECT: Final = (
    "write auto, largest, centre, a box LEFT,TOP,RIGHT,BOTTOM or points X,Y in pixels "
    "(keep is a setting of its own: keep: 1)"
)
_WRITE_NUMBERS: Final = (
    "write auto, largest, centre, a box [left, top, right, bottom] or points [[x, y], [x, y]] in pixels "
    "from 0 on"
)
_SIDES: Final = 4
_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+)?")


def parse_subject(value: Any) -> Any:
    """A text as a subject's data: a word, a box "8,4,90,70", points "30,20 45,18". Raises ValueError."""
    if not isinstance(value, str):
        return _checked_subject(value)
    word = value.strip().lower()
    if word in _SUBJECTS:
        return _SUBJECTS[word]
    groups = [[part.strip() for part in group.split(",")] for group in word.strip("[] ").split()]
    if len(groups) == 4 and all(len(group) == 2 and not group[1] for group in groups[:-1]):
        groups = [[group[0] for group in groups]]  # a list's own way of writing: 80, 40, 900, 700
    if all(_NUMBER.fullmatch(part) for group in groups for part in group):
        numbers = [tuple(float(part) for part in group) for group in groups]
        if len(numbers) == 1 and len(numbers[0]) == 4:
            return numbers[0]
        if all(len(point) == 2 for point in numbers):
            return tuple(numbers)
    raise ValueError(_WRITE_SUBJECT)


def _checked_subject(value: Any) -> Any:
    """A box or points as they are. Raises ValueError; a sentence about each part alone would mislead."""
    if isinstance(value, list | tuple) and value:
        if len(value) == _SIDES and all(map(_is_number, value)):
            return value
        pairs = [item for item in value if isinstance(item, list | tuple) and len(item) == 2]
        if len(pairs) == len(value) and all(_is_number(part) for pair in pairs for part in pair):
            return value
    raise ValueError(_WRITE_NUMBERS)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


Subject = Annotated[
    Literal["auto", "largest", "centre"] | Box | Points,
    BeforeValidator(
        parse_subject,
        json_schema_input_type=str | Box | Points,
    ),
]


class CutSettings(Settings):
    """How the subject is found and its matte computed; the defaults are the product's."""

    model: str = Field("u2net", description="name of a network in the catalogue")
    accept_licence: bool = Field(False, description="consent to a licence that forbids commercial use")
    precision: Literal["auto", "full", "float32"] = Field(
        "auto",
        description="auto: in 8-bit integers, where that was checked and is quicker; full or "
        "float32: as the network was made",
    )
    quality: Literal["fast", "balanced", "best"] = Field(
        "balanced",
        description="fast: one look, edges by colour alone; balanced: also mirrored and at the subject's "
        "own box, edges by the learned refiner too; best: with every network at hand",
    )
    judge: Literal["auto", "none"] = Field(
        "auto",
        description="auto: the promptable network judges whole parts, with quality balanced and best, where "
        "its weights are here; none: only what stands out counts",
    )
    subject: Subject = Field(
        "auto",
        description="auto (all that stands out), largest, centre, "
        "a box [left, top, right, bottom] or points [[x, y], ...] in pixels",
    )
    prompts: PromptSettings = Field(
        PromptSettings(), description="what a person points at: points, a box, strokes, a former matte"
    )
    keep: int | None = Field(None, ge=1, description="at most so many subjects, the largest ones")
    specks: float = Field(
        0.01,
        ge=0,
        le=1,
        description="stray parts below this share of the subject's area are removed, and small faint "
        "traces apart from it; 0 keeps all",
    )
    holes: float = Field(
        0.002, ge=0, le=1, description="holes below this share of the subject's area are filled"
    )
    backdrop: Backdrop = Field(
        "auto",
        description="auto: an even backdrop is modelled, and goes where the subject encloses it; none: the "
        "networks alone say what is subject; learn: as auto, and a hot folder learns its set from its last "
        "fifty sure photos; a file: a photo of the empty set, from the same place; lit: a second exposure "
        "with the backdrop lit alone, which measures the silhouette; learnt: a set that was learnt",
    )
    refine: Literal["auto", "none", "hair", "hard"] = Field(
        "auto", description="how edges become alpha: by evidence, as the network drew them, soft, or sharp"
    )
    input_alpha: Literal["multiply", "ignore"] = Field(
        "multiply", description="what a photo's own transparency does to the matte"
    )
    limits: ReadLimits = Field(ReadLimits(), description="how large a photo may be")
    decontaminate: bool = Field(True, description="give soft edges the subject's own colour")

    @property
    def judged(self) -> bool:
        """Whether a judge of whole parts is wanted."""
        return self.judge != "none" and self.quality != "fast"

    @property
    def needs_promptable(self) -> bool:
        """Whether the promptable network is asked: by the judge, or because a person points."""
        pointed = box_of(self.subject) is not None or points_of(self.subject) is not None
        return self.judged or pointed or self.prompts.any

    @field_validator("subject", mode="after")
    @classmethod
    def _has_extent(cls, subject: Subject) -> Subject:
        if isinstance(subject, str):
            return subject
        if not subject:
            raise ValueError("give at least one point [x, y]")
        box = box_of(subject)
        if box is not None and (box[2] <= box[0] or box[3] <= box[1]):
            raise ValueError("a box is [left, top, right, bottom], right of left and bottom below top")
        return subject


def box_of(subject: Subject) -> Box | None:
    """The box that a subject setting names, or None."""
    if isinstance(subject, str) or not all(isinstance(number, int | float) for number in subject):
        return None
    left, top, right, bottom = subject
    return left, top, right, bottom  # type: ignore[return-value]  # four numbers were told from points above


def points_of(subject: Subject) -> Points | None:
    """The points that a subject setting names, or None."""
    if isinstance(subject, str) or box_of(subject) is not None:
        return None
    return subject  # type: ignore[return-value]  # neither a word nor a box: points
