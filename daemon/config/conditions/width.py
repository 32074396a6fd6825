"""min_width and max_width: pixels, as seen upright."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from mattebox.daemon.config.conditions.base import bounds

CONDITIONS: Final = bounds(
    "width", Annotated[int, Field(ge=1)], lambda facts: facts.photo.width, lambda count: f"{count:.0f} px"
)
