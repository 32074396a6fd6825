"""Sources: in which files a job's photo and its matte lie now; paths come from the journal alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mattebox.daemon.delivery.decided import review_psd
from mattebox.daemon.journal.identity import identity

if TYPE_CHECKING:
    from mattebox.core.settings import CutSettings
    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.journal.rows import JobRow

# Where a job's reason names the matte of a photo of a folder that was cut again.
RECUT: Final = "recut"
# Of several outputs the one whose matte is read quickest and is surely the photo's own.
_BEST: Final = ("mask", "png", "webp", "psd", "tiff", "jxl", "jpeg")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a job's pictures come from. key: another one once any of these files is another.

    photo: None where the original lies nowhere that the journal knows. matte: a file that holds one, or an
    output whose picture need not have the photo's size. preview: a small picture of the cutout,
    with the sha256 of its bytes. ground: the colour that the rule puts behind the subject, or None.
    """

    job: str
    name: str
    key: str
    photo: Path | None
    matte: Path | None
    cut: CutSettings
    preview: tuple[Path, str] | None = None
    ground: tuple[int, int, int] | None = None


def sources_of(journal: Journal, job_id: str) -> Sources:
    """The files of one job as they lie there now. Raises KeyError, JournalError, OSError."""
    job = journal.job(job_id)
    decision = journal.decisions.of(job_id)
    own = decision.matte if decision is not None else None
    if own is not None and identity(own) is None:
        own = None  # it was delivered, and lies beside the photo by now
    matte = own or recut_of(job) or review_psd(journal, job) or _output(journal, job)
    photo = _photo(journal, job)
    parts = [str(path and identity(path)) for path in (photo, matte)]
    key = hashlib.sha256("\0".join((job_id, str(photo), str(matte), *parts)).encode("utf-8", "replace"))
    return Sources(
        job_id,
        job.plan.name,
        key.hexdigest(),
        photo,
        matte,
        job.plan.cut,
        None if own is not None or recut_of(job) is not None else _preview(journal, job),
        job.plan.finish.background.colour,
    )


def recut_of(job: JobRow) -> Path | None:
    """The matte of a photo that was cut again and is not decided yet, where it is there."""
    path = (job.reason or {}).get(RECUT)
    return Path(path) if path and identity(Path(path)) is not None else None


def _photo(journal: Journal, job: JobRow) -> Path | None:
    moved = [item.final for item in journal.placements(job.id, "original") if item.final is not None]
    return next((path for path in (job.work, *moved, job.plan.source) if identity(path) is not None), None)


def _output(journal: Journal, job: JobRow) -> Path | None:
    """The output whose matte is looked at, of those that still lie where they were published."""
    formats = [item.output.format for item in job.plan.outputs]
    placed = [item for item in journal.placements(job.id, "output") if item.final is not None]
    known = [(formats[item.number], item.final) for item in placed if item.number < len(formats)]
    found = [
        (_BEST.index(kind), path) for kind, path in known if path is not None and identity(path) is not None
    ]
    return min(found, key=lambda item: item[0])[1] if found else None


def _preview(journal: Journal, job: JobRow) -> tuple[Path, str] | None:
    for item in journal.placements(job.id, "review"):
        if item.final is not None and item.final.suffix == ".png" and item.sha256 is not None:
            return (item.final, item.sha256) if identity(item.final) is not None else None
    return None
