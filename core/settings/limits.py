"""ReadLimits: how large a photo may be before anything of it is decoded."""

from __future__ import annotations

from pydantic import Field

from mattebox.core.settings.base import Settings


class ReadLimits(Settings):
    """Limits read from a photo's header; the defaults leave room for a 150 MP camera's files."""

    megapixels: float = Field(300.0, gt=0, description="width times height, in millions of pixels")
    side: int = Field(65_535, gt=0, description="the longer side, in pixels")
    megabytes: float = Field(4096.0, gt=0, description="the size of the file, in millions of bytes")
    frames: int = Field(1000, gt=0, description="pages of a TIFF, frames of an animation")
