"""Pairs of boundaries of a case: each one of its run, with each one of the run after a kill there.

All of it is found by running the code. Runs happen in processes forked from one that has imported
what they need and nothing else: a fork copies what its parent knows of its memory, and a run of all tests
knows a lot. A kill is a SIGKILL, the files and the journal (synchronous FULL) are real.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.crash.cases import CASES, check, play
from tests.daemon.hot_folders import HotFolders

from mattebox.daemon.config.load import load_config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mattebox.daemon.config.load import LoadedConfig

# Runs mostly wait for files to settle, so more than the cores keep them busy.
_RUNNERS = 8
_LOADED: dict[str, LoadedConfig] = {}


@dataclass(frozen=True)
class Outcome:
    """How many kills came, the boundaries passed after the last one, and what was wrong in the end."""

    kills: int
    names: tuple[str, ...]
    wrong: str


@dataclass(frozen=True)
class BoundaryPairs:
    """A case's boundaries, and those of the run after a kill at each of them."""

    names: tuple[str, ...]
    after: tuple[tuple[str, ...], ...]

    def pairs(self) -> list[tuple[int, int]]:
        """Every pair of boundaries."""
        return [(first, second) for first, names in enumerate(self.after) for second in range(len(names))]


def trial(name: str, kills: tuple[int, ...], disks: tuple[str, str]) -> Outcome:
    """A case played once with kills, in this runner's own folders."""
    case = CASES[name]
    mine, other = (Path(disk) / f"{name}-{os.getpid()}" for disk in disks)
    for folder in (mine, other):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    hot_folders = HotFolders(
        mine, case.text.replace("OTHER", os.fspath(other)).replace("ROOT", os.fspath(mine))
    )
    # The configuration's text and its folder are those of this runner's last trial.
    if name not in _LOADED:
        _LOADED[name] = load_config(hot_folders.config)
    hot_folders.loaded = _LOADED[name]
    hot_folders.drop(case.tree)
    came, names, wrong = 0, [], ""
    try:
        came, names = play(hot_folders, case, kills)
        check(hot_folders, case, other)
    except Exception as error:  # noqa: BLE001 - told with the kills that led to it
        wrong = f"{name}, kills at {kills}: {type(error).__name__}: {error}"
    return Outcome(came, tuple(names), wrong)


@cache
def _parent() -> ProcessPoolExecutor:
    """The process that all runs are forked from; it ends with this one."""
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=gc.freeze)


def trials(name: str, kills: Sequence[tuple[int, ...]]) -> list[Outcome]:
    """Many trials of a case, a few at a time."""
    return _parent().submit(_forked_trials, name, kills).result()


def _forked_trials(name: str, kills: Sequence[tuple[int, ...]]) -> list[Outcome]:
    _LOADED.clear()
    with (
        tempfile.TemporaryDirectory(dir=quick_place()) as quick,
        tempfile.TemporaryDirectory(dir=other_place()) as other,
        multiprocessing.get_context("fork").Pool(_RUNNERS) as pool,
    ):
        return pool.starmap(trial, [(name, each, (quick, other)) for each in kills], chunksize=4)


def boundary_pairs(name: str) -> BoundaryPairs:
    """A case's pairs; each single kill has then been tried, and its end was right."""
    (whole,) = trials(name, [()])
    assert not whole.wrong, whole.wrong
    single = trials(name, [(first,) for first in range(len(whole.names))])
    wrong = [outcome.wrong for outcome in single if outcome.wrong]
    assert not wrong, "\n".join(wrong)
    assert all(outcome.kills == 1 for outcome in single)
    return BoundaryPairs(whole.names, tuple(outcome.names for outcome in single))


def quick_place() -> Path:
    """A memory disk where there is one, else the ordinary disk."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
    return memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())


def other_place() -> Path:
    """A place on another device than `quick_place`, where there is one."""
    return Path(tempfile.gettempdir())
