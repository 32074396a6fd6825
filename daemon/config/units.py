"""Durations and sizes as people write them: 2s, 2m, 500ms; 5MB, 200 kB."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, WithJsonSchema

# The bytes of private memory (addresses, touched or not) that a worker begins with: 1.39 GB at most in the
# measures of bench/workers.py.
LEAST_MEMORY: Final = 1_500_000_000

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES: Final = {
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
}
_QUANTITY: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*+([a-zA-Z]*)\s*")


def parse_duration(value: Any) -> float:
    """Seconds from 2, 2.5, "2s", "500ms", "2m", "1h" or "7d". Raises ValueError."""
    return _quantity(value, _SECONDS, "s", "a duration such as 500ms, 2s, 5m, 1h or 7d")


def parse_bytes(value: Any) -> int:
    """Bytes from 1000, "200 kB", "5MB" or "1GiB". Raises ValueError."""
    return round(_quantity(value, _BYTES, "b", "a size such as 200kB, 5MB or 1GiB"))


def parse_memory(value: Any) -> int | str:
    """As `parse_bytes`, or "auto" or "none" as they are. Raises ValueError."""
    if value in ("auto", "none"):
        return str(value)
    most = round(_quantity(value, _BYTES, "b", "auto, none or a size such as 4GB"))
    if most < LEAST_MEMORY:
        raise ValueError(f"a worker cannot begin with less than {LEAST_MEMORY / 1e9:g} GB")
    return most


def _quantity(value: Any, factors: dict[str, float] | dict[str, int], plain: str, wanted: str) -> float:
    found = None if isinstance(value, bool) else _QUANTITY.fullmatch(str(value))
    unit = (found[2].lower() or plain) if found else ""
    if found is None or unit not in factors:
        raise ValueError(f"write {wanted}")
    amount = float(found[1]) * factors[unit]
    if not math.isfinite(amount):
        raise ValueError(f"write {wanted}")
    return amount


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": ["number", "string"], "description": "seconds, or 500ms, 2s, 5m, 1h, 7d"}),
]
Bytes = Annotated[
    int,
    BeforeValidator(parse_bytes),
    WithJsonSchema({"type": ["integer", "string"], "description": "bytes, or 200kB, 5MB, 1GiB"}),
]
Memory = Annotated[
    int | Literal["auto", "none"],
    BeforeValidator(parse_memory),
    WithJsonSchema({"type": ["integer", "string"], "description": "auto, none, bytes, or 500MB, 4GB, 4GiB"}),
]
