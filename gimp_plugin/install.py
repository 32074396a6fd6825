"""Puts the plug-in into a GIMP profile, and takes it away."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mattebox.core.errors import MatteboxError
from mattebox.gimp_plugin.rendezvous import package_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mattebox.gimp_plugin.profiles import Profile

SOURCE: Final = Path(__file__).resolve().parent / "mattebox"
RECORD: Final = "record.json"
# What the engine needs to find the same weights and the same rendezvous as the user's shell.
_KEPT: Final = ("MATTEBOX_MODELS", "MATTEBOX_OFFLINE", "XDG_CACHE_HOME")


class InstallError(MatteboxError):
    """The plug-in cannot be put into a profile, or taken away."""


def files() -> list[str]:
    """The files that GIMP needs, code and translations, as paths in the plug-in's folder."""
    found = (*SOURCE.glob("*.py"), *SOURCE.glob("locale/*/LC_MESSAGES/*.mo"))
    return sorted(path.relative_to(SOURCE).as_posix() for path in found)


def record(
    folder: Path,
    networks: Sequence[tuple[str, str]],
    catalogue: dict[str, dict[str, Any]] | None = None,
    models: Path | None = None,
) -> dict[str, Any]:
    """What the plug-in must know of this mattebox: how to start its engine, and where to meet it.

    catalogue: of each network its file, size, licence and whether it allows commercial use; models: where
    the files lie.
    """
    return {
        "command": [sys.executable, "-P", "-m", "mattebox.cli.main", "engine"],
        "folder": os.fspath(folder),
        "version": package_version(),
        "environment": {name: os.environ[name] for name in _KEPT if os.environ.get(name)},
        "networks": [list(row) for row in networks],
        "catalogue": catalogue or {},
        "models": os.fspath(models) if models is not None else "",
    }


def install(profile: Profile, details: dict[str, Any]) -> Path:
    """Put the plug-in into `profile` as one whole, and return its folder. Raises InstallError."""
    target = profile.plugin
    if os.path.lexists(target) and not is_ours(target):
        raise InstallError(f"{target}: there is something else of that name; move it away and try again.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # The new folder is complete before it has its name: GIMP may look at any time.
        staged = Path(tempfile.mkdtemp(prefix=".mattebox-", dir=profile.folder))
        try:
            for name in files():
                (staged / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(SOURCE / name, staged / name)
            (staged / RECORD).write_text(json.dumps(details, indent=2) + "\n", encoding="utf-8")
            (staged / "mattebox.py").chmod(0o755)
            staged.chmod(0o755)
            _replace(staged, target)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    except OSError as error:
        raise InstallError(f"{target}: the plug-in cannot be written ({error.strerror}).") from error
    return target


def remove(profile: Profile) -> bool:
    """Take the plug-in out of `profile`; False where it was not there. Raises InstallError."""
    target = profile.plugin
    if not os.path.lexists(target):
        return False
    if not is_ours(target):
        raise InstallError(f"{target} was not made by 'mattebox gimp install', so it stays.")
    try:
        shutil.rmtree(target)
    except OSError as error:
        raise InstallError(f"{target}: the plug-in cannot be removed ({error.strerror}).") from error
    return True


def is_ours(target: Path) -> bool:
    """Whether a folder was made by install(): a real folder with a record and the plug-in's file."""
    return not target.is_symlink() and (target / RECORD).is_file() and (target / "mattebox.py").is_file()


def _replace(staged: Path, target: Path) -> None:
    if not os.path.lexists(target):
        staged.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=".mattebox-old-", dir=staged.parent))
    try:
        target.rename(old / target.name)
        try:
            staged.rename(target)
        except OSError:
            with contextlib.suppress(OSError):
                (old / target.name).rename(target)
            raise
    finally:
        if not (old / target.name).exists() or target.exists():
            shutil.rmtree(old, ignore_errors=True)
