"""place: a staged file gets its final name once, without overwriting, whenever the machine stops."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mattebox.core.errors import WriteError
from mattebox.core.names import longest_in
from mattebox.core.publish import free_place, numbered, publish, stage_name, sync_folder
from mattebox.daemon.journal.identity import content_hash, identity
from mattebox.daemon.journal.steps import step

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mattebox.daemon.journal.identity import Identity
    from mattebox.daemon.journal.journal import Journal
    from mattebox.daemon.journal.rows import Placement

# How often an original that changes while it is copied is copied again, before it is waited for.
_MOST_LOOKS: Final = 5
# What people brought; it may have had other names before.
_ORIGINALS: Final = frozenset({"original", "return", "recall", "companion", "companion-return", "kept"})
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


class LostStagedError(WriteError):
    """A staged file vanished before it had its final name."""


class _OtherDeviceError(Exception):
    pass


def place(journal: Journal, item: Placement) -> Path:
    """Give `item.staged` its final name: the wished one, or the first free number after it.

    The name is in the journal before the link is made, so after a stop this sees what it had done: the
    staged file and the final one are then the same file. Raises OSError, LostStagedError.
    """
    while item.state != "placed":
        if item.state == "planned":
            item = _next_name(journal, item)
        assert item.final is not None  # noqa: S101 - _next_name has set it
        if _link(journal, item):
            step("linked")
            sync_folder(item.final.parent)
            # The name was synced before the link: who finds both knows that the file is there.
            with journal.transaction(synced=False):
                item = journal.save(replace(item, state="placed"))
            step("placement done")
        else:
            item = replace(item, state="planned", candidate=item.candidate + 1)
    item.staged.unlink(missing_ok=True)
    step("staged name removed")
    assert item.final is not None  # noqa: S101 - a placed item has its name
    return item.final


def move(
    journal: Journal, item: Placement, source: Path, copy: Callable[[Path, Path], None] | None = None
) -> Path:
    """Place an original: by a link on one device, else by a copy that is read back and compared.

    copy: what writes the staged file where that is not the source. The source goes last. Raises OSError,
    LostStagedError.
    """
    copy = copy or copy_original
    seen = None
    if item.state != "placed" and item.staged != source:
        item, seen = _copied(journal, item, source, copy)
    try:
        final = place(journal, item)
    except _OtherDeviceError:
        with journal.transaction():
            item = journal.save(replace(item, state="planned", staged=stage_name(item.target)))
        step("copy planned")
        item, seen = _copied(journal, item, source, copy)
        final = place(journal, item)
    if item.staged != source:
        _look_once_more(item, source, final, seen, copy)
    source.unlink(missing_ok=True)
    step("original left its old place")
    with contextlib.suppress(OSError):
        sync_folder(source.parent)
    return final


def _copied(
    journal: Journal, item: Placement, source: Path, copy: Callable[[Path, Path], None]
) -> tuple[Placement, Identity | None]:
    """The placement with the hash of the staged copy, and what the source was before it was copied."""
    seen = identity(source)
    copy(source, item.staged)
    if identity(item.staged) is None:
        return item, seen
    with journal.transaction():
        return journal.save(replace(item, sha256=content_hash(item.staged))), seen


def _look_once_more(
    item: Placement, source: Path, final: Path, seen: Identity | None, copy: Callable[[Path, Path], None]
) -> None:
    """Bring what a writer, who had the source open, wrote after it was copied. Raises OSError, WriteError.

    seen: what the source was when it was copied, None where that was in a run before.
    """
    for _ in range(_MOST_LOOKS):
        now = identity(source)
        if now is None or item.sha256 is None or (seen is not None and now.same_content(seen)):
            return
        if seen is not None or content_hash(source) != item.sha256:
            is_ours = identity(final) is not None and content_hash(final) == item.sha256
            copy(source, item.staged)
            item = replace(item, sha256=content_hash(item.staged))
            # What a person has changed meanwhile stays; the whole file is then beside it.
            final = publish(item.staged, final, overwrite=is_ours, number=True)
        seen = now
    raise OSError(errno.EBUSY, "somebody writes into it all the time", os.fspath(source))


def _next_name(journal: Journal, item: Placement) -> Placement:
    item.target.parent.mkdir(parents=True, exist_ok=True)
    most = longest_in(item.target.parent)
    candidate = free_place(item.target, item.candidate, most=most)
    final = numbered(item.target, candidate, most=most)
    with journal.transaction():
        item = journal.save(replace(item, state="linking", candidate=candidate, final=final))
    step("name chosen")
    return item


def _link(journal: Journal, item: Placement) -> bool:
    """Whether the staged file has the final name now; False where the name belongs to another."""
    final = item.final
    assert final is not None  # noqa: S101 - the caller has chosen it
    staged_status, final_status = _status(item.staged), _status(final)
    if staged_status is None:
        # Without links the final step is a rename, which takes the staged name away.
        if final_status is not None and item.size in (None, final_status.st_size):
            return True
        raise LostStagedError(f"{item.staged}: the staged file vanished before it was published.")
    if final_status is not None:
        return _is_ours(item, staged_status, final, final_status)
    if item.kind not in _ORIGINALS and staged_status.st_nlink > 1:
        # It had its final name and somebody has moved it on already.
        return True
    return _try_link(journal, item, final)


def _is_ours(item: Placement, staged_status: os.stat_result, final: Path, status: os.stat_result) -> bool:
    """Whether the file at the final name is the staged one; an empty reservation of ours is filled."""
    if item.state == "reserved" and status.st_size == 0:
        item.staged.replace(final)
        return True
    return os.path.samestat(staged_status, status)


def _try_link(journal: Journal, item: Placement, final: Path) -> bool:
    try:
        os.link(item.staged, final, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise _OtherDeviceError from error
        if error.errno not in _NO_LINKS:
            raise
        return _reserve(journal, item, final)
    return True


def _reserve(journal: Journal, item: Placement, final: Path) -> bool:
    """On a file system without links: claim the name with an empty file, then rename over it."""
    with journal.transaction():
        journal.save(replace(item, state="reserved"))
    step("reservation recorded")
    try:
        os.close(os.open(final, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except FileExistsError:
        return False
    step("name reserved")
    item.staged.replace(final)
    return True


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def copy_original(source: Path, staged: Path) -> None:
    """A synced copy under a staged name, equal by sha256; nothing where the source is gone already."""
    if not source.exists():
        return
    staged.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, staged)
    with source.open("rb") as one, staged.open("rb") as two:
        os.fsync(two.fileno())
        if hashlib.file_digest(one, "sha256").digest() != hashlib.file_digest(two, "sha256").digest():
            raise WriteError(f"{staged}: the copy differs from {source}.")
    step("original copied")
