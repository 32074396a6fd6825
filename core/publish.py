"""Staged names and publishing: a file is complete under its final name, or it is not there."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from mattebox.core.errors import OutputExistsError, WriteError
from mattebox.core.names import LONGEST, fit

if TYPE_CHECKING:
    from pathlib import Path

STAGED_PREFIX: Final = ".mattebox-"
# Endings of two parts that a number must not split.
_DOUBLE_ENDINGS: Final = (".cutout", ".mask")
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


def stage_name(target: Path, mark: str = "") -> Path:
    """A new hidden name in the target's own folder, so that publishing is one rename or link.

    mark: says whose it is, within the name.
    """
    return target.with_name(f"{STAGED_PREFIX}{mark}{os.urandom(6).hex()}.part")


def numbered(target: Path, place: int, *, most: int = LONGEST) -> Path:
    """The name at a place: `target` at 0, then `name-2.ext`, `name-3.ext`, ... beside it.

    Each has at most `most` bytes.
    """
    stem, ending = target.stem, target.suffix
    if stem.endswith(_DOUBLE_ENDINGS):
        stem, dot, middle = stem.rpartition(".")
        ending = f"{dot}{middle}{ending}"
    return target.with_name(fit(stem, f"-{place + 1}{ending}" if place else ending, most=most))


def free_place(target: Path, start: int = 0, *, most: int = LONGEST) -> int:
    """A place from `start` on whose name is free and, but for `start`, the one before it taken.

    Among n names in a row this looks at some 2 log n of them. Who takes the name must still do so
    without overwriting, and come back where another was quicker.
    """
    if not os.path.lexists(numbered(target, start, most=most)):
        return start
    taken, step = start, 1
    while os.path.lexists(numbered(target, taken + step, most=most)):
        taken, step = taken + step, step * 2
    free = taken + step
    while free - taken > 1:
        middle = (taken + free) // 2
        if os.path.lexists(numbered(target, middle, most=most)):
            taken = middle
        else:
            free = middle
    return free


def publish(staged: Path, target: Path, *, overwrite: bool = False, number: bool = False) -> Path:
    """Give a complete staged file its final name and sync the folder; returns that name.

    Nothing is overwritten unless `overwrite`; with `number` a taken name gets the next free number,
    else OutputExistsError. Raises WriteError where the folder refuses.
    """
    try:
        if overwrite:
            staged.replace(target)
            final = target
        else:
            final = _link_first_free(staged, target, number=number)
        sync_folder(target.parent)
    except OutputExistsError:
        raise
    except OSError as error:
        raise WriteError(f"{target}: the output could not be published ({error.strerror}).") from error
    return final


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable, where the platform can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _link_first_free(staged: Path, target: Path, *, number: bool) -> Path:
    place = 0
    while True:
        candidate = numbered(target, place)
        try:
            _move_exclusively(staged, candidate)
        except FileExistsError:
            if not number:
                raise OutputExistsError(
                    f"{target}: a file of that name exists; use --overwrite or another name."
                ) from None
            place = free_place(target, place + 1)
            continue
        return candidate


def _move_exclusively(staged: Path, target: Path) -> None:
    """Move without overwriting; on file systems without links, claim the name first."""
    try:
        os.link(staged, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        staged.replace(target)
        return
    staged.unlink()
