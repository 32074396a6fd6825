"""A folder of finished cutouts beside their photos: a desk with a journal of its own."""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from platformdirs import user_state_path

from mattebox.core.job import Job, StagedOutput
from mattebox.core.names import split
from mattebox.core.settings import CutSettings, FinishSettings, format_of_ending, parse_output
from mattebox.core.settings.endings import PHOTO_ENDINGS
from mattebox.daemon.delivery.deliver import Delivery
from mattebox.daemon.journal.identity import identity
from mattebox.daemon.journal.journal import Journal
from mattebox.daemon.journal.plan import Plan, PlannedOutput
from mattebox.daemon.journal.rows import JobRow, Placement
from mattebox.web.table.desk import Desk
from mattebox.web.table.sources import RECUT, recut_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mattebox.core.job_report import JobReport
    from mattebox.daemon.journal.decisions import Decision

# What `mattebox cut` adds to a photo's name, and what this table adds.
_MADE: Final = (".cutout", ".mask", ".matte")
_TIMEOUT: Final = 600.0


class Work(NamedTuple):
    """A photo whose outputs are to be rendered, or that is to be cut again by other settings."""

    id: str
    job: Job


class FolderDesk(Desk):
    """The table of one folder: it delivers by itself, under new names, and never changes what is there."""

    delivers = True
    stays = "what was rendered lies beside what was there, and both stay."
    may_promise = False

    def __init__(self, folder: Path) -> None:
        """Raises StateLockedError where another table has this folder open, JournalError, OSError."""
        folder = Path(os.path.realpath(folder))
        state = state_of(folder)
        super().__init__(state, folder.name, Journal(state))
        self._folder = folder
        self._delivery = Delivery(self.journal)
        self._delivery.recover()
        self._enter()

    def begin(self) -> Work | None:
        """The next photo whose outputs are to be rendered, or that is to be cut again; marks end here.

        Rendered is by a matte that was mended, or that came when it was cut again; what was accepted as it
        is stays as it is.
        """
        for decision in self.journal.decisions.sent():
            job = self.journal.job(decision.job)
            if decision.verdict == "again":
                return self._again(job, decision)
            matte = decision.matte or recut_of(job)
            if job.state == "review" and decision.verdict == "accept" and matte is not None:
                self._delivery.approve(job, matte)
            with self.journal.transaction():
                self.journal.decisions.carried_out(decision.job)
        for job in self.journal.jobs("claimed"):
            with suppress(OSError):
                return Work(job.id, self._delivery.begin(job))
        return None

    def finish(self, job_id: str, report: JobReport) -> None:
        """Publish what was rendered, beside what is there; or show what was cut again, to be decided.

        Raises OSError, WriteError.
        """
        decision = self.journal.decisions.of(job_id)
        if self.journal.job(job_id).state == "review":
            # It may have been taken back meanwhile.
            if decision is not None and decision.verdict == "again":
                self._show_again(job_id, decision, report)
            return
        self._delivery.deliver(self._delivery.staged(self.journal.job(job_id), report))

    def give_up(self, job_id: str) -> None:
        """It could not be rendered or cut: the photo is open again, as it was."""
        if self.journal.job(job_id).state == "review":
            with self.journal.transaction():
                self.journal.decisions.reopen(job_id)
            return
        self._delivery.reopen_review(self.journal.job(job_id))

    def psd(self, job: JobRow) -> Path | None:
        """The PSD beside the photo, where there is one."""
        for item in self.journal.placements(job.id, "output"):
            if item.final is not None and item.final.suffix == ".psd" and identity(item.final) is not None:
                return item.final
        return None

    def _again(self, job: JobRow, decision: Decision) -> Work:
        cut = job.plan.cut.model_copy(update=dict(decision.settings))
        staged = StagedOutput(parse_output({"format": "mask"}), self.new_matte(job))
        return Work(job.id, Job(job.work, (staged,), cut, FinishSettings()))

    def _show_again(self, job_id: str, decision: Decision, report: JobReport) -> None:
        how = " ".join(decision.settings.values())
        reason = {"why": f"cut again: {how}", RECUT: report.outputs[0].path}
        with self.journal.transaction():
            self.journal.change(job_id, report=report.as_dict(), reason=reason)
            self.journal.decisions.carried_out(job_id)

    def _named_mattes(self) -> set[Path]:
        kept = (recut_of(job) for job in self.journal.jobs())
        return super()._named_mattes() | {path for path in kept if path is not None}

    def _enter(self) -> None:
        """Photos that the journal does not know yet become its rows."""
        known = {seen.id for seen in self.journal.overview()}
        with self.journal.transaction():
            for photo, outputs in finished(self._folder):
                job = _row(self._folder, photo, outputs)
                if job is None or job.id in known:
                    continue
                self.journal.add(job)
                for number, path in enumerate(outputs):
                    item = Placement(job.id, "output", number, path, path, path, state="placed")
                    self.journal.save(item)
                self.journal.change(job.id, report=_report(outputs))


def state_of(folder: Path) -> Path:
    """Where the decisions about a folder are kept."""
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return user_state_path("mattebox", appauthor=False) / "tables" / f"{folder.name or 'root'}-{digest}"


def finished(folder: Path) -> Iterator[tuple[Path, list[Path]]]:
    """The photos below a folder that have finished outputs beside them, with those. Raises OSError."""
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        made: dict[str, list[Path]] = {}
        for name in sorted(names):
            stem, ending = split(name)
            photo, kind = os.path.splitext(stem)  # noqa: PTH122 - of a name
            if kind in _MADE[:2] and format_of_ending(ending[1:]) is not None:
                made.setdefault(photo, []).append(Path(top, name))
        for name in sorted(names):
            stem, ending = split(name)
            if stem in made and ending[1:].lower() in PHOTO_ENDINGS and not stem.endswith(_MADE):
                yield Path(top, name), made[stem]


def _row(folder: Path, photo: Path, outputs: list[Path]) -> JobRow | None:
    found = identity(photo)
    if found is None:
        return None
    place = photo.relative_to(folder)
    tree = "" if place.parent == Path() else place.parent.as_posix()
    plan = Plan(
        rule="",
        watch=folder,
        tree=tree,
        name=photo.name,
        done=folder,
        failed=folder,
        keep=True,
        attempts=3,
        timeout=_TIMEOUT,
        cut=CutSettings(),
        finish=FinishSettings(),
        outputs=tuple(PlannedOutput(parse_output({"format": _format(path)}), path) for path in outputs),
    )
    job_id = hashlib.sha256(os.fsencode(place)).hexdigest()[:10]
    return JobRow(job_id, tree, photo, found, "review", "review", 0, plan, None, None, time.time())


def _format(path: Path) -> str:
    if path.stem.endswith(".mask"):
        return "mask"
    return format_of_ending(path.suffix[1:]) or "png"


def _report(outputs: list[Path]) -> dict[str, Any] | None:
    """What `mattebox cut --report` wrote beside one of the outputs."""
    for path in outputs:
        with suppress(OSError, ValueError):
            found = json.loads(path.with_name(f"{path.name}.report.json").read_text(encoding="utf-8"))
            if isinstance(found, dict):
                return found
    return None
