"""What became of a job: the report that the command prints, the journal keeps and a webhook gets."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class WrittenOutput:
    """One written file: sha256 of its bytes, its size in bytes and its picture's size in pixels."""

    path: str
    format: str
    sha256: str
    bytes: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class JobReport:
    """What became of a job; `seconds` by step, `subject_box` in pixels of the photo.

    judge: the network that judged whole parts. undecided: boxes, as subject_box, of parts that may belong to
    the subject. learnt_from: how many photos the set was learnt from by which the backdrop was told; 0 where
    none was. photo_notes: those of the `notes` about the photo and its files: what was left out of it,
    rounded or converted. Whoever shows results shows them.
    """

    input: str
    outputs: tuple[WrittenOutput, ...]
    model: str
    confidence: float
    warnings: tuple[str, ...]
    subject_box: tuple[int, int, int, int] | None
    seconds: Mapping[str, float]
    notes: tuple[str, ...] = ()
    device: str = "cpu"
    looks: tuple[str, ...] = ()
    photo_notes: tuple[str, ...] = ()
    judge: str | None = None
    undecided: tuple[tuple[int, int, int, int], ...] = ()
    learnt_from: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-ready data."""
        return asdict(self)

    def with_paths(self, paths: Mapping[str, Path]) -> JobReport:
        """The report with staged paths replaced by the published ones."""
        outputs = tuple(replace(item, path=os.fspath(paths[item.path])) for item in self.outputs)
        return replace(self, outputs=outputs)
