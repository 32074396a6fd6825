"""What travels to workers and back: the same job, in each machine's own paths, and no object of any class."""

from __future__ import annotations

import json
import os
from dataclasses import MISSING, fields
from pathlib import Path, PurePath
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from mattebox.core.job import Job, StagedOutput
from mattebox.core.job_report import JobReport, WrittenOutput
from mattebox.core.settings import CutSettings, FinishSettings, PromptSettings, parse_output
from mattebox.core.settings.backdrop import LearntBackdrop, LitBackdrop
from mattebox.core.settings.label import LabelSettings
from mattebox.daemon.errors import Failure
from mattebox.daemon.work.cluster.paths import PathMap, Prefix
from mattebox.daemon.work.cluster.wire import packed_answer, packed_task, unpacked_answer, unpacked_task
from mattebox.daemon.work.tasks import JobTask

HERE = PathMap((Prefix("/mnt/photos", "/srv/share"),))


def task(backdrop: Path | LearntBackdrop | None = None) -> JobTask:
    """A job with a path in every place that can hold one."""
    outputs = (
        StagedOutput(parse_output({"format": "psd", "depth": 16}), Path("/mnt/photos/out/.mattebox-a.part")),
        StagedOutput(parse_output({"format": "png"}), Path("/mnt/photos/out/\udcff.part")),
    )
    cut = CutSettings(
        model="u2netp",
        backdrop=backdrop or LitBackdrop(lit=Path("/mnt/photos/lit/{stem}_b.jpg")),
        prompts=PromptSettings(
            inside=((3, 4),), strokes=Path("/mnt/photos/s.png"), from_matte=Path("/mnt/photos/m.psd")
        ),
    )
    finish = FinishSettings.model_validate({"background": "/mnt/photos/wall.jpg", "crop": "subject"})
    matte, label = Path("/mnt/photos/review/a.psd"), LabelSettings(unsure="red")
    return JobTask(Job(Path("/mnt/photos/in/a.jpg"), outputs, cut, finish, matte, label), None, True)


def test_no_field_of_a_job_is_forgotten() -> None:
    """The task above has each field of a job, other than it is by default."""
    left_out = [
        item.name
        for item in fields(Job)
        if item.default is not MISSING and getattr(task().job, item.name) == item.default
    ]
    assert left_out == []


def test_a_task_arrives_as_it_was_where_paths_are_alike() -> None:
    """Settings, outputs, matte and preview; the data is text and numbers alone."""
    data = packed_task(task())
    assert unpacked_task(json.loads(json.dumps(data)), PathMap()) == task()


def test_every_path_of_a_task_is_the_workers_own() -> None:
    """No path of the daemon's is left anywhere in it."""
    learnt = LearntBackdrop(learnt=Path("/mnt/photos/set.npz"))
    for one in (task(), task(Path("/mnt/photos/empty.jpg")), task(learnt)):
        text = repr(unpacked_task(packed_task(one), HERE))
        assert "/mnt/photos" not in text
        assert text.replace("/srv/share", "/mnt/photos") == repr(one)


def test_no_setting_with_a_path_is_forgotten() -> None:
    """Each field of settings that holds a path is one that the task above has, and so is tried."""

    def with_paths(model: type[BaseModel], within: str = "") -> set[str]:
        found: set[str] = set()
        for name, field in model.model_fields.items():
            kinds = _kinds(field.annotation)
            if any(isinstance(kind, type) and issubclass(kind, PurePath) for kind in kinds):
                found.add(f"{within}{name}")
            for kind in kinds:
                if isinstance(kind, type) and issubclass(kind, BaseModel):
                    found |= with_paths(kind, f"{within}{name}.")
        return found

    backdrops = {"backdrop", "backdrop.lit", "backdrop.learnt"}
    assert with_paths(CutSettings) == {*backdrops, "prompts.strokes", "prompts.from_matte"}
    assert with_paths(FinishSettings) == {"background.image"}


def _kinds(annotation: Any) -> set[Any]:
    inner = get_args(annotation)
    return {annotation} | {kind for item in inner for kind in _kinds(item)}


@pytest.mark.parametrize("kind", ["report", "failure"])
def test_answers_speak_of_the_daemons_paths(kind: str) -> None:
    """A report's outputs are found again by the staged names, and sentences name what the user knows."""
    data = packed_task(task())
    there = unpacked_task(data, HERE)
    staged = there.job.outputs[0].staged
    answer: JobReport | Failure = Failure(f"{there.job.source}: it is damaged.", "PhotoError", step="read")
    expected: JobReport | Failure = Failure("/mnt/photos/in/a.jpg: it is damaged.", "PhotoError", step="read")
    if kind == "report":
        output = WrittenOutput(os.fspath(staged), "psd", "00", 5, 6, 7)
        values: dict[str, Any] = {
            "model": "u2netp", "confidence": 0.5, "warnings": ("soft",), "subject_box": (1, 2, 3, 4),
            "seconds": {"cut": 0.5}, "notes": ("n",), "looks": ("whole",),
            "undecided": ((1, 2, 3, 4),), "learnt_from": 9,
        }  # fmt: skip
        answer = JobReport(os.fspath(there.job.source), (output,), **values)
        expected = JobReport(
            "/mnt/photos/in/a.jpg",
            (WrittenOutput("/mnt/photos/out/.mattebox-a.part", "psd", "00", 5, 6, 7),),
            **values,
        )
    assert unpacked_answer(json.loads(json.dumps(packed_answer(answer, data, there)))) == expected
