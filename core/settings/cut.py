"""CutSettings: how the subject is found and its matte computed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from mattebox.core.settings.base import Settings
from mattebox.core.settings.limits import ReadLimits

Coordinate = Annotated[float, Field(ge=0)]
Box = tuple[Coordinate, Coordinate, Coordinate, Coordinate]
Points = tuple[tuple[Coordinate, Coordinate], ...]
Subject = Literal["auto", "largest", "centre"] | Box | Points


class CutSettings(Settings):
    """How the subject is found and its matte computed; the defaults are the product's."""

    model: str = Field("u2net", description="name of a network in the catalogue")
    accept_licence: bool = Field(False, description="consent to a licence that forbids commercial use")
    precision: Literal["auto", "full"] = Field(
        "auto", description="auto uses the network that 'mattebox models optimize' made, where there is one"
    )
    quality: Literal["fast", "balanced", "best"] = Field(
        "balanced",
        description="fast: one look, edges by colour alone; balanced: also mirrored and at the subject's "
        "own box, edges by the learned refiner too; best: with every network at hand",
    )
    subject: Subject = Field(
        "auto",
        description="auto (all that stands out), largest, centre, "
        "a box [left, top, right, bottom] or points [[x, y], ...] in pixels",
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
    refine: Literal["auto", "none", "hair", "hard"] = Field(
        "auto", description="how edges become alpha: by evidence, as the network drew them, soft, or sharp"
    )
    input_alpha: Literal["multiply", "ignore"] = Field(
        "multiply", description="what a photo's own transparency does to the matte"
    )
    limits: ReadLimits = Field(ReadLimits(), description="how large a photo may be")
    decontaminate: bool = Field(True, description="give soft edges the subject's own colour")

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
