"""Photos in: pixels as stored, upright, with everything that must survive."""

from __future__ import annotations

from mattebox.core.photo.model import ColourMode, Photo, PhotoFacts, Pixels
from mattebox.core.photo.reader import probe, read_photo
from mattebox.core.settings.limits import ReadLimits

__all__ = ["ColourMode", "Photo", "PhotoFacts", "Pixels", "ReadLimits", "probe", "read_photo"]
