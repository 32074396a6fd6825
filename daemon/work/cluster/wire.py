"""What travels between the daemon and its workers: plain data, with every path as text.

A path object of one system cannot be unpacked on another, and classes would tie versions together; a
report that comes back speaks of the daemon's paths again.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from mattebox.core.job import Job, StagedOutput
from mattebox.core.job_report import JobReport, WrittenOutput
from mattebox.core.settings import CutSettings, FinishSettings, Settings, parse_output
from mattebox.core.settings.label import label_settings
from mattebox.daemon.errors import Failure
from mattebox.daemon.journal.plan import plain_output, plain_settings
from mattebox.daemon.work.tasks import JobTask

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattebox.daemon.work.cluster.paths import PathMap


def packed_task(task: JobTask) -> dict[str, Any]:
    """A task as plain data; a path within settings stands as {"path": text}."""
    job = task.job
    return {
        "source": os.fspath(job.source),
        "outputs": [[plain_output(item.output), os.fspath(item.staged)] for item in job.outputs],
        "cut": _marked(job.cut, plain_settings(job.cut)),
        "finish": _marked(job.finish, plain_settings(job.finish)),
        "matte": None if job.matte is None else os.fspath(job.matte),
        "label": None if job.label is None else plain_settings(job.label),
        "preview": task.preview,
    }


def unpacked_task(data: dict[str, Any], paths: PathMap) -> JobTask:
    """The task with the paths that this machine has. Raises ValueError where one has none here."""

    def here(text: str) -> Path:
        return Path(paths.here(text))

    outputs = tuple(StagedOutput(parse_output(output), here(staged)) for output, staged in data["outputs"])
    job = Job(
        here(data["source"]),
        outputs,
        CutSettings.model_validate(_unmarked(data["cut"], paths.here)),
        FinishSettings.model_validate(_unmarked(data["finish"], paths.here)),
        None if data["matte"] is None else here(data["matte"]),
        None if data["label"] is None else label_settings(data["label"]),
    )
    return JobTask(job, None, data["preview"])


def packed_answer(answer: JobReport | Failure, data: dict[str, Any], task: JobTask) -> dict[str, Any]:
    """A report or a failure as plain data, in the daemon's paths. data, task: what was asked."""
    job = task.job
    theirs = {
        os.fspath(item.staged): said for item, (_, said) in zip(job.outputs, data["outputs"], strict=True)
    }
    theirs[os.fspath(job.source)] = data["source"]
    if job.matte is not None:
        theirs[os.fspath(job.matte)] = data["matte"]
    kind = "failure" if isinstance(answer, Failure) else "report"
    return {kind: _renamed(asdict(answer), theirs)}


def unpacked_answer(data: dict[str, Any]) -> JobReport | Failure:
    """The report or the failure that `packed_answer` packed."""
    if "failure" in data:
        return Failure(**data["failure"])
    values = data["report"]
    box = values["subject_box"]
    plain = {name: tuple(values[name]) for name in ("warnings", "notes", "looks", "photo_notes")}
    plain["undecided"] = tuple(tuple(part) for part in values["undecided"])
    outputs = tuple(WrittenOutput(**output) for output in values["outputs"])
    return JobReport(
        **{**values, **plain, "outputs": outputs, "subject_box": None if box is None else tuple(box)}
    )


def _marked(settings: Settings, plain: dict[str, Any]) -> dict[str, Any]:
    """Settings as plain data in which every path can be told from other text."""
    marked = dict(plain)
    for name, value in plain.items():
        held = getattr(settings, name)
        if isinstance(held, PurePath):
            marked[name] = {"path": os.fspath(held)}
        elif isinstance(held, Settings) and isinstance(value, dict):
            marked[name] = _marked(held, value)
    return marked


def _unmarked(value: Any, here: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"path"} and isinstance(value["path"], str):
            return here(value["path"])
        return {name: _unmarked(inner, here) for name, inner in value.items()}
    return value


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """Plain data whose texts speak of the daemon's paths."""
    if isinstance(value, str):
        for ours, theirs in names.items():
            value = value.replace(ours, theirs)
        return value
    if isinstance(value, dict):
        return {name: _renamed(inner, names) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_renamed(inner, names) for inner in value]
    return value
