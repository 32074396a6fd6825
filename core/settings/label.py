"""Labels: which colour and how many stars say what a cutout came to, for photographers' programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BeforeValidator, Field

from mattebox.core.settings.base import Settings

Colour = Literal["red", "yellow", "green", "blue", "purple"]
Outcome = Literal["sure", "unsure", "approved", "rejected", "failed"]
COLOURS: Final = get_args(Colour)
Rating = Annotated[int, Field(ge=-1, le=5)]
# What holds for what a person decided where only the network's own outcomes are written down.
_LIKE: Final[dict[Outcome, Outcome]] = {"approved": "sure", "rejected": "unsure"}


class Ratings(Settings):
    """Stars for each outcome: 0 to 5, or -1 for rejected."""

    sure: Rating | None = Field(None, description="stars of a cutout that is sure")
    unsure: Rating | None = Field(None, description="stars of a cutout that is not")
    approved: Rating | None = Field(None, description="stars of what a person approved; as sure")
    rejected: Rating | None = Field(None, description="stars of what a person rejected; as unsure")
    failed: Rating | None = Field(None, description="stars of a photo that could not be cut")


class LabelSettings(Settings):
    """A colour label and stars by what a photo came to, written as XMP."""

    sure: Colour | None = Field(None, description="colour of a cutout that is sure")
    unsure: Colour | None = Field(None, description="colour of a cutout that is not")
    approved: Colour | None = Field(None, description="colour of what a person approved; as sure")
    rejected: Colour | None = Field(None, description="colour of what a person rejected; as unsure")
    failed: Colour | None = Field(None, description="colour of a photo that could not be cut")
    rating: Ratings = Field(Ratings(), description="stars, such as {unsure: 1, sure: 4}")
    below: float = Field(0.6, ge=0, le=1, description="cutouts less confident than this are not sure")
    warnings: Annotated[
        list[str], BeforeValidator(lambda value: value if isinstance(value, list) else [value])
    ] = Field([], description="warnings that make a cutout unsure; * means any")
    into: Literal["both", "outputs", "sidecar"] = Field(
        "both", description="into the outputs, a sidecar beside the original, or both"
    )
    sidecar: Literal["stem", "name"] = Field(
        "stem", description="a new sidecar's name: photo.xmp, or photo.jpg.xmp"
    )

    def label(self, outcome: Outcome) -> Label | None:
        """What is written for an outcome; None: nothing."""
        like = _LIKE.get(outcome, outcome)
        colour = getattr(self, outcome) or getattr(self, like)
        rating = getattr(self.rating, outcome)
        rating = getattr(self.rating, like) if rating is None else rating
        return None if colour is None and rating is None else Label(outcome, colour, rating)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is known of a cutout: how sure the network was, and what a person said or why there is none."""

    confidence: float = 0.0
    warnings: tuple[str, ...] = ()
    said: Literal["approved", "rejected", "failed"] | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """A colour, or None, and -1 to 5 stars, or None."""

    outcome: Outcome
    colour: Colour | None
    rating: int | None


def label_of(settings: LabelSettings, decision: Decision) -> Label | None:
    """The label of a decision, None where the settings want none for it."""
    if decision.said is not None:
        return settings.label(decision.said)
    named = any(name in settings.warnings or "*" in settings.warnings for name in decision.warnings)
    return settings.label("unsure" if named or decision.confidence < settings.below else "sure")


def label_settings(value: Any) -> LabelSettings:
    """The settings in plain data, as a journal keeps them. Raises ValueError."""
    return LabelSettings.model_validate(value)
