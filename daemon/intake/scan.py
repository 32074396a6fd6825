"""Scan: which files in a watched folder are anybody's business."""

from __future__ import annotations

import fnmatch
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mattebox.daemon.config.conditions.path import path_pattern
from mattebox.daemon.journal.identity import Identity, identity_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What programs leave while they write, and what systems strew; names are compared without case.
BUILT_IN: Final = (
    "*.part",
    "*.partial",
    "*.crdownload",
    "*.download",
    "*.tmp",
    "*.temp",
    "*.filepart",
    "~*",
    "*~",
    "._*",
    ".*",
    "thumbs.db",
    "desktop.ini",
    "@eadir",
    "#recycle",
    "lost+found",
    "$recycle.bin",
    "system volume information",
    "__macosx",
)


class Scope:
    """A watched folder's root, and which names below it count."""

    def __init__(self, root: Path, *, recursive: bool, ignore: Iterable[str], own: Iterable[Path]) -> None:
        """`own` are folders of ours (done, failed, review, state) that may lie below the root."""
        self.root = root
        self.recursive = recursive
        patterns = [pattern.casefold() for pattern in (*BUILT_IN, *ignore)]
        self._names = [pattern for pattern in patterns if "/" not in pattern]
        self._paths = [path_pattern(pattern) for pattern in patterns if "/" in pattern]
        real = os.path.realpath(root)
        self._own = {Path(os.path.relpath(os.path.realpath(path), real)).as_posix() for path in own}

    def ignored(self, tree: str, name: str) -> bool:
        """Whether a name (its folder is `tree`, below the root, with forward slashes) is left alone."""
        folded = name.casefold()
        if any(fnmatch.fnmatchcase(folded, pattern) for pattern in self._names):
            return True
        path = f"{tree}/{name}" if tree else name
        if any(pattern.fullmatch(path) for pattern in self._paths):
            return True
        return self.is_own(path)

    def is_own(self, path: str) -> bool:
        """Whether a path below the root is a folder of ours."""
        return path in self._own

    def holds(self, path: Path) -> str | None:
        """The path below the root of a file that counts, or None."""
        try:
            parts = path.relative_to(self.root).parts
        except ValueError:
            return None
        if not parts or (len(parts) > 1 and not self.recursive):
            return None
        tree = ""
        for part in parts:
            if self.ignored(tree, part):
                return None
            tree = f"{tree}/{part}" if tree else part
        return tree

    def files(self, below: str = "") -> Iterator[tuple[str, Identity]]:
        """Every regular file that counts, as path below the root and identity. Raises OSError for the root.

        Links are not followed; a sub-folder that cannot be read is passed over.
        """
        pending = [below]
        while pending:
            tree = pending.pop()
            try:
                entries = os.scandir(self.root / tree)
            except OSError:
                if tree == below:
                    raise
                continue
            with entries:
                for entry in entries:
                    if self.ignored(tree, entry.name):
                        continue
                    path = f"{tree}/{entry.name}" if tree else entry.name
                    try:
                        if entry.is_dir(follow_symlinks=False):
                            if self.recursive:
                                pending.append(path)
                            continue
                        found = identity_of(entry.stat(follow_symlinks=False))
                    except OSError:
                        continue
                    if found is not None:
                        yield path, found
