"""Why the plug-in does not show up, or cannot reach the engine, in plain words."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mattebox.gimp_plugin.install import RECORD, SOURCE, files, is_ours
from mattebox.gimp_plugin.mattebox.client import Engine, Record
from mattebox.gimp_plugin.mattebox.errors import EngineError
from mattebox.gimp_plugin.mattebox.start import last_words, log_file
from mattebox.gimp_plugin.rendezvous import package_version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mattebox.gimp_plugin.profiles import Profile

AGAIN: Final = "run 'mattebox gimp install' again and start GIMP anew"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: whether it is well, and a sentence."""

    good: bool
    sentence: str


def examine(profile: Profile) -> Iterator[Finding]:
    """What can be said about the plug-in in one profile, from its files alone."""
    target = profile.plugin
    if not target.is_dir():
        yield Finding(False, f"{profile.label}: the plug-in is not installed; run 'mattebox gimp install'.")
        return
    if not is_ours(target):
        yield Finding(False, f"{profile.label}: {target} is incomplete or something else; {AGAIN}.")
        return
    yield from _files(profile, target)
    yield from _searched(profile)
    yield from _seen(profile, target)
    if profile.kind in ("Flatpak", "Snap"):
        yield Finding(
            True,
            f"{profile.label}: this GIMP may not start programs, so its engine must run before a cut: leave "
            "'mattebox engine --idle 0' running.",
        )


def examine_engine(profile: Profile) -> Finding:
    """Whether the plug-in of this profile can start and reach its engine, by doing it."""
    try:
        record = Record.read(profile.plugin / RECORD)
    except EngineError as error:
        return Finding(False, f"{profile.label}: {error}")
    # A new engine begins a new log.
    former = last_words(record.folder)
    try:
        engine = Engine(record, lambda _: None)
        engine.close()
    except EngineError as error:
        said = last_words(record.folder)
        return Finding(False, f"{profile.label}: {error}{_quoted(log_file(record.folder), said)}")
    here = package_version()
    if engine.version != here:
        return Finding(
            False,
            f"{profile.label}: a running engine is of mattebox {engine.version}, and this is {here}; "
            "run 'mattebox engine --stop', the next cut starts the new one.",
        )
    return Finding(
        True,
        f"{profile.label}: its engine answers ({record.folder})."
        + _quoted(log_file(record.folder), former, "The last thing that an engine said, which may be old"),
    )


def _quoted(log: Path, lines: list[str], what: str = "Its last lines") -> str:
    return "".join(f"\n    {line}" for line in (f"{what} ({log}):", *lines)) if lines else ""


def _files(profile: Profile, target: Path) -> Iterator[Finding]:
    wrong = [name for name in files() if _bytes(target / name) != _bytes(SOURCE / name)]
    if wrong:
        yield Finding(
            False, f"{profile.label}: {', '.join(wrong)} is of another version of mattebox; {AGAIN}."
        )
    elif sys.platform != "win32" and not (target / "mattebox.py").stat().st_mode & stat.S_IXUSR:
        yield Finding(False, f"{profile.label}: {target / 'mattebox.py'} may not be run; {AGAIN}.")
    else:
        yield Finding(True, f"{profile.label}: the plug-in is in {target}.")
    try:
        command = json.loads((target / RECORD).read_text(encoding="utf-8"))["command"][0]
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        yield Finding(False, f"{profile.label}: its record cannot be read; {AGAIN}.")
        return
    if shutil.which(command) is None:
        yield Finding(
            False, f"{profile.label}: the mattebox that it belongs to is gone ({command}); {AGAIN}."
        )


def _searched(profile: Profile) -> Iterator[Finding]:
    """GIMP looks into the folders of its preferences; a changed list may leave out the usual one."""
    text = (_bytes(profile.folder / "gimprc") or b"").decode("utf-8", "replace")
    for line in text.splitlines():
        if line.strip().startswith("(plug-in-path"):
            usual = ("${gimp_dir}/plug-ins", os.fspath(profile.folder / "plug-ins"))
            if not any(place in line for place in usual):
                yield Finding(
                    False,
                    f"{profile.label}: GIMP's preferences (Folders > Plug-ins) do not have "
                    f"{profile.folder / 'plug-ins'}; add it there and start GIMP anew.",
                )


def _seen(profile: Profile, target: Path) -> Iterator[Finding]:
    """GIMP notes the plug-ins that it met in pluginrc when it starts."""
    notes = profile.folder / "pluginrc"
    content = _bytes(notes)
    if content is None:
        yield Finding(True, f"{profile.label}: start GIMP; it has not met the plug-in yet.")
    elif notes.stat().st_mtime < (target / RECORD).stat().st_mtime:
        yield Finding(True, f"{profile.label}: start GIMP anew; it has not met the plug-in yet.")
    elif b"plug-in-mattebox-mask" in content:
        yield Finding(True, f"{profile.label}: GIMP knows Layer > Mask > Mask the Subject.")
    else:
        yield Finding(
            False,
            f"{profile.label}: GIMP started and refused the plug-in. Its Python plug-ins need GIMP's Python "
            "support (python3-gi on Debian and Ubuntu); start GIMP from a terminal to see its own words.",
        )


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
