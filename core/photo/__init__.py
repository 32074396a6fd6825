"""Photos in: pixels as stored, upright, with everything that must survive."""

from __future__ import annotations

from mattebox.core.photo.model import ColourMode, OpenPhoto, Photo, PhotoFacts, Pixels, Planes
from mattebox.core.photo.reader import format_of, probe, read_photo
from mattebox.core.settings.limits import ReadLimits

__all__ = [
    "ColourMode",
    "OpenPhoto",
    "Photo",
    "PhotoFacts",
    "Pixels",
    "Planes",
    "ReadLimits",
    "format_of",
    "probe",
    "read_photo",
]
