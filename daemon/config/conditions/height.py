"""min_height and max_height: pixels, as seen upright."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from mattebox.daemon.config.conditions.base import bounds

CONDITIONS: Final = bounds(
    "height", Annotated[int, Field(ge=1)], lambda facts: facts.photo.height, lambda count: f"{count:.0f} px"
)
