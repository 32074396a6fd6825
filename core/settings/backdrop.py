"""Backdrop: what is known of what is behind a subject: an empty or a learnt set, a second exposure."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from mattebox.core.settings.base import Settings
from mattebox.core.settings.prompts import PromptFile

_STEM: Final = "{stem}"
_FIELD: Final = re.compile(r"\{[^}]*\}?")


class LitBackdrop(Settings):
    """Where the second exposures are, each with the backdrop lit alone."""

    lit: PromptFile = Field(
        description="a second exposure with the backdrop lit alone: ./lit/{stem}_b.jpg, where {stem} is the "
        "photo's name without its ending; not in a watched folder"
    )

    def beside(self, photo: Path | None) -> Path:
        """The second exposure of a photo from that file."""
        return Path(str(self.lit).replace(_STEM, "" if photo is None else photo.stem))


class LearntBackdrop(Settings):
    """The set as a hot folder has learnt it by a certain moment."""

    learnt: PromptFile = Field(
        description="a set that a hot folder with backdrop: learn has learnt, out of its state folder"
    )


def _is_one(value: Any) -> Any:
    if not isinstance(value, str | Path | dict | LitBackdrop | LearntBackdrop) or not value:
        raise ValueError(
            "write auto, none, learn, a photo of the empty set, or {lit: FILE} for second exposures"
        )
    return value


def _knows_its_fields(value: Any) -> Any:
    others = set(_FIELD.findall(str(value.lit))) - {_STEM} if isinstance(value, LitBackdrop) else set()
    if others:
        raise ValueError(f"{min(others)} is not known here; write {_STEM} for the photo's own name")
    return value


Backdrop = Annotated[
    Literal["auto", "none", "learn"] | LitBackdrop | LearntBackdrop | PromptFile,
    BeforeValidator(_is_one, json_schema_input_type=str | LitBackdrop | LearntBackdrop),
    AfterValidator(_knows_its_fields),
]
