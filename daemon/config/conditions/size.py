"""min_size and max_size: the file's bytes."""

from __future__ import annotations

from typing import Final

from mattebox.daemon.config.conditions.base import bounds
from mattebox.daemon.config.units import Bytes

CONDITIONS: Final = bounds("size", Bytes, lambda facts: facts.size, lambda count: f"{count:,.0f} bytes")
