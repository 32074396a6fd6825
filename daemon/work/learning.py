"""Learning a rule's set from its sure photos: what a worker keeps of each, and when it learns anew.

One file a photo, written whole or not at all; a set is learnt from the newest fifty of them after every five.
Nothing that goes wrong here is the photo's: it is cut and delivered all the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING, Final, TypeVar

import cv2
from filelock import FileLock, Timeout

from mattebox.core.errors import MatteboxError
from mattebox.core.publish import stage_name
from mattebox.core.segment.learnt_set import LEAST, MOST, learnt_set, seen_set
from mattebox.core.segment.set_files import SetFileError, packed_seen, packed_set, read_seen, read_set
from mattebox.daemon.journal.learnt_sets import next_set, sets_in, size_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mattebox.core.cutout import Cutout

_Found = TypeVar("_Found")
# What a report calls sure; a person's own matte is.
SURE: Final = 0.6
_EVERY: Final = 5
# So many sets are kept, for photos that were claimed before the newest one, and so many damaged files.
_KEPT: Final = 10
_DAMAGED: Final = ".damaged"
_ABANDONED: Final = 3600 * 10**9


def learn(learns: Path, source: Path, cutout: Cutout) -> None:
    """Keep what a sure cutout shows of its set below a rule's folder, and learn the set when it is time.

    source: the photo's file, so that a photo that is cut again counts once. Raises nothing.
    """
    photo, report = cutout.photo, cutout.report
    if report.confidence < SURE or report.subject_box is None or photo.alpha is not None:
        return
    # A full disk, a folder taken away, no memory left: the next photo tries again.
    with contextlib.suppress(OSError, MatteboxError, MemoryError, cv2.error):
        folder = size_folder(learns, (photo.width, photo.height))
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = hashlib.sha256(os.fsencode(source)).hexdigest()[:16]
        _write(folder / f"seen-{name}.npz", packed_seen(seen_set(photo, cutout.alpha)))
        # Whom another worker keeps waiting leaves the learning to it, or to the next photo.
        with contextlib.suppress(Timeout), FileLock(folder / "lock", timeout=0):
            _learn_if_due(folder)


def _learn_if_due(folder: Path) -> None:
    """Learn the set of a folder anew if enough photos have come since. Raises OSError."""
    photos = _tidy(folder)
    tried = folder / "tried"
    last = tried.stat().st_mtime_ns if tried.exists() else None
    new = sum(last is None or path.stat().st_mtime_ns > last for path in photos)
    if new < (LEAST if last is None else _EVERY):
        return
    tried.touch()
    found = learnt_set([each for path in photos if (each := _read(read_seen, path)) is not None])
    if found is not None:
        _write(next_set(folder), packed_set(found))


def _tidy(folder: Path) -> list[Path]:
    """What the newest fifty photos have shown, the newest last; what is older or was left behind goes."""
    known = sets_in(folder)
    if known:
        _read(read_set, known[-1])
    photos = sorted(folder.glob("seen-*.npz"), key=lambda path: (path.stat().st_mtime_ns, path.name))
    left = sorted(folder.glob(f"*{_DAMAGED}"), key=lambda path: path.stat().st_mtime_ns)
    for path in (*photos[:-MOST], *known[:-_KEPT], *left[:-_KEPT]):
        path.unlink(missing_ok=True)
    newest = photos[-1].stat().st_mtime_ns if photos else 0
    for path in folder.glob(".mattebox-*.part"):
        # Another worker may be writing; what is older than a whole photo's work is of one that was killed.
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime_ns < newest - _ABANDONED:
                path.unlink()
    return photos[-MOST:]


def _read(read: Callable[[Path], _Found], path: Path) -> _Found | None:
    """What a file holds; a damaged one gets another name, under which nobody reads it."""
    try:
        return read(path)
    except SetFileError:
        path.replace(path.with_suffix(_DAMAGED))
        return None


def _write(path: Path, content: bytes) -> None:
    """Write a file whole, or not at all. Raises OSError."""
    staged = stage_name(path)
    try:
        with staged.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)
