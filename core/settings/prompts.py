"""PromptSettings: what a person has pointed at in a photo, in one vocabulary for command, YAML and Python."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from mattebox.core.settings.base import Settings

Coordinate = Annotated[float, Field(ge=0)]
Box = tuple[Coordinate, Coordinate, Coordinate, Coordinate]
Points = tuple[tuple[Coordinate, Coordinate], ...]


def _from_base(path: Path, info: ValidationInfo) -> Path:
    """A path of a YAML file starts from that file's folder."""
    base = info.context.get("base") if info.context else None
    return Path(base) / path if base is not None else path


PromptFile = Annotated[Path, AfterValidator(_from_base)]


class PromptSettings(Settings):
    """What a person has pointed at, in pixels of the photo; all of it holds at once."""

    inside: Points = Field((), description="points [[x, y], ...] that are subject")
    outside: Points = Field((), description="points [[x, y], ...] that are not")
    box: Box | None = Field(None, description="a box [left, top, right, bottom] around the subject")
    strokes: PromptFile | None = Field(
        None,
        description="a picture of strokes, of the photo's shape: white is subject, black is not, gray is "
        "unsure and solved again; where it is transparent it says nothing",
    )
    from_matte: PromptFile | None = Field(
        None, description="a former matte, or a rough mask, to go on from; a gray picture or a PSD's mask"
    )

    @field_validator("box")
    @classmethod
    def _has_extent(cls, box: Box | None) -> Box | None:
        if box is not None and (box[2] <= box[0] or box[3] <= box[1]):
            raise ValueError("a box is [left, top, right, bottom], right of left and bottom below top")
        return box

    @property
    def any(self) -> bool:
        """Whether anything was pointed at."""
        return bool(self.inside or self.outside or self.box or self.strokes or self.from_matte)
