"""Paths that differ from machine to machine: one prefix stands for another, in POSIX and Windows forms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_DRIVE: Final = re.compile(r"[A-Za-z]:(?=[\\/]|$)")


@dataclass(frozen=True, slots=True)
class Prefix:
    """One folder under two names: as the daemon calls it, and as this machine does."""

    daemon: str
    here: str


@dataclass(frozen=True, slots=True)
class PathMap:
    """How a machine calls the folders that the daemon names; what no prefix holds stays as it is."""

    prefixes: tuple[Prefix, ...] = ()

    def here(self, path: str) -> str:
        """The daemon's path as this machine calls it; the longest prefix that holds it counts.

        Windows paths (a drive or a share) are compared without case and with either slash, others as they
        are. Raises ValueError where a name of a POSIX path cannot be one on Windows.
        """
        found = [
            (prefix, rest) for prefix in self.prefixes if (rest := _below(path, prefix.daemon)) is not None
        ]
        if not found:
            return path
        prefix, rest = min(found, key=lambda pair: len(pair[1]))
        return _joined(prefix.here, rest)


def parse_prefix(text: str) -> Prefix:
    r"""DAEMON=HERE, such as /mnt/photos=P:\photos. Raises ValueError with what is wrong."""
    daemon, sign, here = text.partition("=")
    if not sign or not is_absolute(daemon) or not is_absolute(here):
        raise ValueError(
            f"{text}: write the daemon's folder, =, and this machine's, both from the root on, "
            r"such as /mnt/photos=P:\photos"
        )
    return Prefix(daemon, here)


def is_absolute(path: str) -> bool:
    """Whether a path begins at a root: /, a Windows drive, or a Windows share."""
    return path.startswith("/") or is_windows(path)


def is_windows(path: str) -> bool:
    r"""Whether a path is of Windows' form: C:\ or \\server\share."""
    return bool(_DRIVE.match(path)) or path.startswith("\\\\")


def _below(path: str, prefix: str) -> tuple[str, ...] | None:
    """The names of a path after a prefix; None where the prefix does not hold it."""
    if is_windows(path) != is_windows(prefix):
        return None
    names, beginning = _names(path), _names(prefix)
    same = _folded(names[: len(beginning)], path) == _folded(beginning, path)
    return names[len(beginning) :] if same and len(names) >= len(beginning) else None


def _names(path: str) -> tuple[str, ...]:
    text = path.replace("\\", "/") if is_windows(path) else path
    return tuple(name for name in text.split("/") if name)


def _folded(names: tuple[str, ...], path: str) -> tuple[str, ...]:
    return tuple(name.casefold() for name in names) if is_windows(path) else names


def _joined(root: str, rest: tuple[str, ...]) -> str:
    if not is_windows(root):
        return "/".join((root.rstrip("/"), *rest)) or "/"
    for name in rest:
        if "\\" in name or "/" in name:
            raise ValueError(f"{name}: Windows has no such name")
    plain = root.rstrip("\\/")
    return "\\".join((plain, *rest)) if rest else root
