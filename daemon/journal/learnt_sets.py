"""Learnt sets: where a rule's set is learnt, beside the journal, and which one a photo is cut by.

Below the state folder: sets/RULE/WIDTHxHEIGHT/, with what each of the last photos has shown and with the sets
that were learnt from those. A set that was written is never changed; the newest one counts, and a job's plan
names it, so that every attempt at a photo is made by the same set. No journal, no row and no photo depends
on any of it: where it is lost or damaged, each photo tells its own backdrop, and learning begins anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from typing import TYPE_CHECKING, Final

from mattebox.core.settings.backdrop import LearntBackdrop

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.settings import CutSettings

_FOLDER: Final = "sets"
_NAME: Final = re.compile(r"set-(\d{9})\.(npz|damaged)")


def set_folder(state: Path, folder: str, rule: str) -> Path:
    """Where the sets of one rule of a hot folder are."""
    name = hashlib.sha256(f"{folder}\0{rule}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return state.absolute() / _FOLDER / name


def size_folder(learns: Path, size: tuple[int, int]) -> Path:
    """Where, below a rule's folder, the set of photos of one width and height is."""
    return learns / f"{size[0]}x{size[1]}"


def sets_in(folder: Path) -> list[Path]:
    """The sets that were learnt for photos of one size, the newest last; none where the folder is not."""
    return [path for path in _numbered(folder) if path.suffix == ".npz"]


def next_set(folder: Path) -> Path:
    """The name of the set that is learnt next: one that no set has had, damaged ones among them."""
    known = _numbered(folder)
    number = int(known[-1].stem.removeprefix("set-")) + 1 if known else 1
    return folder / f"set-{number:09}.npz"


def _numbered(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    return []


def with_learnt_set(cut: CutSettings, learns: Path, size: tuple[int, int]) -> CutSettings:
    """The settings with the newest set for photos of that width and height, if one was learnt."""
    known = sets_in(size_folder(learns, size))
    return cut.model_copy(update={"backdrop": LearntBackdrop(learnt=known[-1])}) if known else cut
