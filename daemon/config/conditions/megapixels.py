"""min_megapixels and max_megapixels: width times height in millions."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from mattebox.daemon.config.conditions.base import bounds

CONDITIONS: Final = bounds(
    "megapixels",
    Annotated[float, Field(gt=0)],
    lambda facts: facts.photo.width * facts.photo.height / 1e6,
    lambda count: f"{count:.3g} MP",
)
