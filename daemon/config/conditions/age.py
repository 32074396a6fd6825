"""min_age and max_age: time since the file was last changed."""

from __future__ import annotations

from typing import Final

from mattebox.daemon.config.conditions.base import bounds
from mattebox.daemon.config.units import Duration

CONDITIONS: Final = bounds("age", Duration, lambda facts: facts.age, lambda seconds: f"{seconds:.0f} s")
