"""Photos that hot folders pass over: hidden ones and links. No photo is out of sight without a word."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from mattebox.core.settings.endings import PHOTO_ENDINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mattebox.daemon.intake.scan import Scope

_HIDDEN: Final = "hidden files are left alone: their names, or those of their folders, begin with a dot"
_LINKED: Final = "links are not followed"
_SHOWN: Final = 3


class PassedOver(NamedTuple):
    """Photos below a watched folder that nobody takes, and why."""

    paths: tuple[str, ...]
    why: str

    def sentence(self) -> str:
        """One sentence, with the first few names."""
        count, names = len(self.paths), ", ".join(self.paths[:_SHOWN])
        rest = f" and {count - _SHOWN} more" if count > _SHOWN else ""
        return f"{names}{rest}: {self.why}."


def passed_over(scope: Scope) -> list[PassedOver]:
    """The photos that are passed over, by reason. Raises OSError where the folder cannot be read."""
    found: dict[str, list[str]] = {_HIDDEN: [], _LINKED: []}
    for path, why in _walk(scope):
        found[why].append(path)
    return [PassedOver(tuple(sorted(paths)), why) for why, paths in found.items() if paths]


def _walk(scope: Scope) -> Iterator[tuple[str, str]]:
    pending = [("", False)]
    while pending:
        tree, hidden = pending.pop()
        try:
            entries = sorted(os.scandir(scope.root / tree), key=lambda entry: entry.name)
        except OSError:
            if not tree:
                raise
            continue
        for entry in entries:
            path = f"{tree}/{entry.name}" if tree else entry.name
            if _is_no_photo(scope, tree, entry.name, path):
                continue
            dotted = hidden or entry.name.startswith(".")
            if entry.is_dir(follow_symlinks=False):
                if scope.recursive:
                    pending.append((path, dotted))
            elif entry.name.rpartition(".")[2].lower() in PHOTO_ENDINGS and (dotted or entry.is_symlink()):
                yield path, _HIDDEN if dotted else _LINKED


def _is_no_photo(scope: Scope, tree: str, name: str, path: str) -> bool:
    """Whether a name is nobody's photo for another reason than its dot: ours, ignored, or another disk's."""
    if scope.is_own(path) or name.startswith("._"):
        return True
    return scope.ignored(tree, name.lstrip(".") or "_")
