"""CutSettings: how the subject is found and its matte computed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mattebox.core.settings.base import Settings
from mattebox.core.settings.limits import ReadLimits


class CutSettings(Settings):
    """How the subject is found and its matte computed; the defaults are the product's."""

    model: str = Field("u2net", description="name of a network in the catalogue")
    accept_licence: bool = Field(False, description="consent to a licence that forbids commercial use")
    precision: Literal["auto", "full"] = Field(
        "auto", description="auto uses the network that 'mattebox models optimize' made, where there is one"
    )
    refine: Literal["auto", "none"] = Field("auto", description="how edges become a soft alpha")
    input_alpha: Literal["multiply", "ignore"] = Field(
        "multiply", description="what a photo's own transparency does to the matte"
    )
    limits: ReadLimits = Field(ReadLimits(), description="how large a photo may be")
    decontaminate: bool = Field(True, description="give soft edges the subject's own colour")
