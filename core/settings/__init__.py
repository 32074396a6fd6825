"""The one vocabulary of the command line, the YAML and the plug-in.

Importing it loads no numpy: `mattebox --help` and `mattebox check` stay quick.
"""

from __future__ import annotations

from mattebox.core.settings.base import Settings
from mattebox.core.settings.cut import CutSettings
from mattebox.core.settings.finish import FinishSettings
from mattebox.core.settings.limits import ReadLimits
from mattebox.core.settings.outputs import (
    ENDINGS,
    FORMATS,
    JpegOutput,
    JxlOutput,
    MaskOutput,
    Output,
    PngOutput,
    PsdNames,
    PsdOutput,
    TiffOutput,
    WebpOutput,
    format_of_ending,
    parse_output,
)
from mattebox.core.settings.prompts import PromptSettings

__all__ = [
    "ENDINGS",
    "FORMATS",
    "CutSettings",
    "FinishSettings",
    "JpegOutput",
    "JxlOutput",
    "MaskOutput",
    "Output",
    "PngOutput",
    "PromptSettings",
    "PsdNames",
    "PsdOutput",
    "ReadLimits",
    "Settings",
    "TiffOutput",
    "WebpOutput",
    "format_of_ending",
    "parse_output",
]
