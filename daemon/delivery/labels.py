"""Labels beside originals: a sidecar of ours, or a person's with one more entry and every byte of its own."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from mattebox.core.publish import stage_name
from mattebox.core.settings.label import Decision, Label, label_of
from mattebox.daemon.delivery.place import copy_original, place
from mattebox.daemon.journal.identity import identity, is_there
from mattebox.daemon.journal.rows import Placement
from mattebox.daemon.journal.steps import step

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.journal.rows import JobRow

KIND: Final = "label"
# A sidecar with a history of thousands of strokes has some megabytes.
_LARGEST: Final = 32 << 20
_OWN: Final = "keeps the colour or the stars that it had; the label's were not written over them"
_ODD: Final = "got no label, for it is no XMP that one can be added to"
_TAKEN: Final = "got no label, for it belongs to another photo"


def label_of_job(job: JobRow) -> Label | None:
    """What a sidecar beside a job's original says; None where it says nothing."""
    settings = job.plan.label
    if settings is None or settings.into == "outputs":
        return None
    report = job.report or {}
    if job.state in ("failing", "failed"):
        said = "rejected" if (job.reason or {}).get("kind") == "rejected" else "failed"
        return label_of(settings, Decision(said="rejected" if said == "rejected" else "failed"))
    if job.phase == "approved":
        return label_of(settings, Decision(said="approved"))
    if "confidence" not in report:
        return None
    return label_of(settings, Decision(report["confidence"], tuple(report.get("warnings", ()))))


def merging(label: Label | None, source: Path) -> Callable[[Path, Path], None] | None:
    """What copies a companion and adds the label on the way; None where it moves as it is."""
    if label is None or source.suffix.lower() != ".xmp":
        return None
    return partial(_copy_merged, label)


def place_sidecar(journal: Journal, job: JobRow, final: Path) -> tuple[str, ...]:
    """Write the label of a job beside its original, which is `final`; sentences about what could not be.

    Where a sidecar moved with the original, the label is in that one already. Raises OSError.
    """
    label = label_of_job(job)
    if label is None:
        return ()
    items = journal.placements(job.id, KIND)
    if items:
        _write(journal, items[0], label)
        return ()
    theirs = _sidecars(journal, job, final)
    if theirs:
        return tuple(_sentence(path, why) for path in theirs if (why := _why_not(path, label)))
    stem, name = final.with_suffix(".xmp"), final.with_name(f"{final.name}.xmp")
    wished = (stem, name) if job.plan.label is not None and job.plan.label.sidecar == "stem" else (name, stem)
    free = next((path for path in wished if not is_there(path)), None)
    if free is None:
        return (_sentence(wished[0], _TAKEN),)
    _write(journal, Placement(job.id, KIND, 0, stage_name(free), free), label)
    return ()


def _write(journal: Journal, item: Placement, label: Label) -> None:
    """Write a new sidecar, synced, and place it as outputs are placed."""
    if item.state == "planned":
        with journal.transaction():
            journal.save(item)
        step("sidecar planned")
        from mattebox.core.photo.xmp_label import new_packet  # noqa: PLC0415 - loads arrays

        data = new_packet(label)
        _synced(item.staged, data)
        item = replace(item, size=len(data), sha256=hashlib.sha256(data).hexdigest())
        step("sidecar written")
    place(journal, item)


def _copy_merged(label: Label, source: Path, staged: Path) -> None:
    """A synced copy with the label, or a plain one where it takes none; nothing where the source is gone."""
    found = identity(source)
    if found is None:
        return
    from mattebox.core.photo.xmp_label import merged, without_ours  # noqa: PLC0415 - loads arrays

    data = source.read_bytes() if found.size <= _LARGEST else b""
    packet = merged(data, label).packet if data else None
    if packet is None or without_ours(packet) != without_ours(data):
        copy_original(source, staged)
        return
    _synced(staged, packet)
    step("label added")


def is_labelled_copy(source: Path, final: Path) -> bool:
    """Whether one sidecar is the other but for labels of ours. Raises OSError."""
    if source.suffix.lower() != ".xmp" or max(source.stat().st_size, final.stat().st_size) > _LARGEST:
        return False
    from mattebox.core.photo.xmp_label import without_ours  # noqa: PLC0415 - loads arrays

    return without_ours(source.read_bytes()) == without_ours(final.read_bytes())


def _synced(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sidecars(journal: Journal, job: JobRow, final: Path) -> list[Path]:
    """The XMP sidecars that a person has beside the original."""
    if job.plan.keep:
        found = [final.with_suffix(".xmp"), final.with_name(f"{final.name}.xmp")]
    else:
        found = [item.final for item in journal.placements(job.id, "companion") if item.final is not None]
    return [path for path in found if path.suffix.lower() == ".xmp" and identity(path) is not None]


def _why_not(path: Path, label: Label) -> str:
    """What of the label a person's sidecar does not have, and why; "" where it has all."""
    from mattebox.core.photo.xmp_label import merged  # noqa: PLC0415 - loads arrays

    found = identity(path)
    data = path.read_bytes() if found is not None and found.size <= _LARGEST else b""
    would = merged(data, label)
    if would.kept:
        return _OWN
    return "" if data and would.packet == data else _ODD


def _sentence(path: Path, why: str) -> str:
    return f"{path.name} {why}."
