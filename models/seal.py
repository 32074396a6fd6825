"""The seal of a weights file: what it was when it was last read whole, kept beside it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Seal:
    """sha256, bytes and time of change (nanoseconds) of a file that was verified."""

    sha256: str
    size: int
    mtime_ns: int

    def fits(self, status: os.stat_result) -> bool:
        """Whether a file of that status is the one that was verified."""
        return status.st_size == self.size and status.st_mtime_ns == self.mtime_ns

    def broken(self) -> Seal:
        """A seal that fits no file, and still tells the sha256 that the weights must have."""
        return replace(self, size=-1, mtime_ns=-1)


def seal_path(weights: Path) -> Path:
    """Where the seal of a weights file lies."""
    return weights.with_name(f"{weights.name}.seal.json")


def read_seal(weights: Path) -> Seal | None:
    """The seal of a weights file, or None where there is none that can be read."""
    try:
        return Seal(**json.loads(seal_path(weights).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def write_seal(weights: Path, seal: Seal) -> None:
    """Keep a seal beside a weights file, in one step. Raises OSError."""
    target = seal_path(weights)
    staged = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        staged.write_text(json.dumps(asdict(seal)) + "\n", encoding="utf-8")
        staged.replace(target)
    finally:
        staged.unlink(missing_ok=True)
