"""Where GIMP 3 keeps its profiles: native, Flatpak and Snap; 3.0, 3.2 and later."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERSION: Final = re.compile(r"^([3-9]|[1-9]\d+)\.\d+$")


@dataclass(frozen=True, slots=True)
class Profile:
    """One GIMP profile: its folder, the version that it belongs to, and how that GIMP was installed."""

    folder: Path
    version: str
    kind: str

    @property
    def plugin(self) -> Path:
        """The folder of Mattebox's plug-in in it."""
        return self.folder / "plug-ins" / "mattebox"

    @property
    def label(self) -> str:
        """What a person calls it."""
        return f"GIMP {self.version} ({self.kind})" if self.version else f"GIMP ({self.kind})"


def find_profiles(home: Path | None = None) -> list[Profile]:
    """Every profile of GIMP 3 or later that exists, newest last."""
    chosen = os.environ.get("GIMP3_DIRECTORY")
    found = [Profile(Path(chosen).expanduser(), "", "GIMP3_DIRECTORY")] if chosen else []
    for base, kind in _bases(home or Path.home()):
        if base.is_dir():
            found += [
                Profile(folder, folder.name, kind)
                for folder in sorted(base.iterdir(), key=_order)
                if _VERSION.match(folder.name) and folder.is_dir()
            ]
    return found


def profile_at(folder: Path) -> Profile:
    """The profile that a user named."""
    return Profile(folder, folder.name if _VERSION.match(folder.name) else "", "named")


def _bases(home: Path) -> Iterator[tuple[Path, str]]:
    if sys.platform == "win32":
        yield Path(os.environ.get("APPDATA", home / "AppData" / "Roaming")) / "GIMP", "native"
        return
    if sys.platform == "darwin":
        yield home / "Library" / "Application Support" / "GIMP", "native"
        return
    yield Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "GIMP", "native"
    yield home / ".var" / "app" / "org.gimp.GIMP" / "config" / "GIMP", "Flatpak"
    yield home / "snap" / "gimp" / "current" / ".config" / "GIMP", "Snap"


def _order(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", folder.name))
