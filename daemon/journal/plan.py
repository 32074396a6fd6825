"""Plan: what will become of one file, settled when it is claimed and kept in the journal."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mattebox.core.names import LONGEST, fit, split
from mattebox.core.settings import (
    CutSettings,
    FinishSettings,
    Output,
    PngOutput,
    PsdOutput,
    Settings,
    parse_output,
)
from mattebox.core.settings.label import LabelSettings, label_settings

# Claimed originals wait here, on the watched folder's own file system.
WORK_FOLDER: Final = ".mattebox"
# What a person's program may add to a review's name when it saves a copy of it.
_ROOM: Final = 20


@dataclass(frozen=True, slots=True)
class PlannedOutput:
    """One output's format with its settings, and the path that is wished for it."""

    output: Output
    target: Path


@dataclass(frozen=True, slots=True)
class ReviewPlan:
    """When the cutout goes to `to` instead: less confident than `below`, or with a warning that is named."""

    below: float
    warnings: tuple[str, ...]
    to: Path

    def wants(self, confidence: float, warnings: tuple[str, ...]) -> str | None:
        """Why a person should look at a cutout, or None."""
        if confidence < self.below:
            return f"its confidence {confidence:.2f} is below {self.below:g}"
        named = [name for name in warnings if name in self.warnings or "*" in self.warnings]
        return f"it has the warning {', '.join(named)}" if named else None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that finishing a job needs, whatever the configuration says by then.

    tree, name: the file's place below `watch`. keep: the original stays where it is. companions: the names
    of the files beside it that travel with it. learns: the folder where its rule's set is learnt.
    """

    rule: str
    watch: Path
    tree: str
    name: str
    done: Path
    failed: Path
    keep: bool
    attempts: int
    timeout: float
    cut: CutSettings
    finish: FinishSettings
    outputs: tuple[PlannedOutput, ...]
    review: ReviewPlan | None = None
    deduplicate: bool = False
    companions: tuple[str, ...] = ()
    label: LabelSettings | None = None
    learns: Path | None = None

    @property
    def source(self) -> Path:
        """Where the file was found."""
        return self.watch / self.tree / self.name

    def to_json(self) -> str:
        """The plan as text; bytes of names that are no UTF-8 survive as escaped surrogates."""
        return json.dumps(
            {
                "rule": self.rule,
                "watch": str(self.watch),
                "tree": self.tree,
                "name": self.name,
                "done": str(self.done),
                "failed": str(self.failed),
                "keep": self.keep,
                "attempts": self.attempts,
                "timeout": self.timeout,
                "cut": plain_settings(self.cut),
                "finish": plain_settings(self.finish),
                "outputs": [[plain_output(item.output), str(item.target)] for item in self.outputs],
                "review": self.review
                and [self.review.below, list(self.review.warnings), str(self.review.to)],
                "deduplicate": self.deduplicate,
                "companions": list(self.companions),
                "label": self.label and plain_settings(self.label),
                "learns": self.learns and str(self.learns),
            }
        )

    @classmethod
    @functools.lru_cache(maxsize=1024)
    def from_json(cls, text: str) -> Plan:
        """The plan that `to_json` wrote; a job's row is read a dozen times on its way."""
        data = json.loads(text)
        review = data["review"]
        return cls(
            **{
                **data,
                "watch": Path(data["watch"]),
                "done": Path(data["done"]),
                "failed": Path(data["failed"]),
                "cut": CutSettings.model_validate(data["cut"]),
                "finish": FinishSettings.model_validate(data["finish"]),
                "outputs": tuple(
                    PlannedOutput(parse_output(output), Path(target)) for output, target in data["outputs"]
                ),
                "review": review and ReviewPlan(review[0], tuple(review[1]), Path(review[2])),
                "companions": tuple(data.get("companions", ())),
                "label": data.get("label") and label_settings(data["label"]),
                "learns": data.get("learns") and Path(data["learns"]),
            }
        )


def review_outputs(review: ReviewPlan, plan: Plan, job_id: str) -> tuple[PlannedOutput, ...]:
    """The PSD and the preview of one job; the job's id in their names survives "save as copy"."""
    psd, preview = f".{job_id}.psd", f".{job_id}.preview.png"
    stem = fit(split(plan.name)[0], most=LONGEST - _ROOM - len(preview))
    folder = review.to / plan.tree
    return (
        PlannedOutput(PsdOutput(), folder / f"{stem}{psd}"),
        PlannedOutput(PngOutput(), folder / f"{stem}{preview}"),
    )


def plain_settings(settings: Settings) -> dict[str, Any]:
    """Settings as JSON-ready data from which model_validate makes the same ones again."""
    # What was not written stays unwritten, so that presets and defaults mean the same when read back.
    return settings.model_dump(mode="json", exclude_unset=True, exclude={"preset"})


def plain_output(output: Output) -> dict[str, Any]:
    """An output as JSON-ready data for `parse_output`."""
    return {**plain_settings(output), "format": output.format}
