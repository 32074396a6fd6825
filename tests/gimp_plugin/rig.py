"""A real GIMP 3 for tests: in the chroot that .ci/gimp.sh builds, or the one on PATH."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mattebox.gimp_plugin.install import install, record
from mattebox.gimp_plugin.mattebox.client import Record
from mattebox.gimp_plugin.profiles import profile_at
from mattebox.models.store import models_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCRIPTS = Path(__file__).parent / "scripts"
# Paths inside and outside are equal, so that both ends of a socket mean the same place.
ENTER = """
root=$1 scratch=$2; shift 2
mkdir -p "$root$scratch" "$root/host"
mount -t proc proc "$root/proc"
mount --bind "$scratch" "$root$scratch"
mount --rbind / "$root/host"
exec chroot "$root" "$@"
"""


def find_root() -> Path | None:
    """The chroot with GIMP, where it is complete and can be entered."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    root = Path(os.environ.get("MATTEBOX_GIMP_ROOT") or cache / "mattebox-ci" / "gimp-trixie")
    return root if (root / ".complete").exists() and os.getuid() == 0 and shutil.which("unshare") else None


def find_roots() -> dict[str, Path]:
    """The chroots of .ci/gimp.sh and .ci/gimp-next.sh by GIMP's version, where they can be entered."""
    if os.getuid() != 0 or not shutil.which("unshare"):
        return {}
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mattebox-ci"
    complete = [
        cache / name for name in ("gimp-trixie", "gimp-forky") if (cache / name / ".complete").exists()
    ]
    return {find_version(root): root for root in complete}


def find_program() -> str | None:
    """A GIMP 3 on PATH."""
    for name in ("gimp-console-3.2", "gimp-console-3.0"):
        if shutil.which(name):
            return name
    return None


def find_version(root: Path | None) -> str:
    """The version that this GIMP names its profiles by."""
    newer = (root / "usr/bin/gimp-console-3.2").exists() if root else shutil.which("gimp-console-3.2")
    return "3.2" if newer else "3.0"


@dataclass
class Rig:
    """A scratch folder with a home, a profile with the plug-in, and a place for the engine."""

    root: Path | None
    language: str = "C.UTF-8"
    scratch: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="mbx-", dir="/tmp")))

    def __post_init__(self) -> None:
        """Install the plug-in as the command does; its engine runs outside of the chroot."""
        profile = self.scratch / "home" / ".config" / "GIMP" / find_version(self.root)
        profile.mkdir(parents=True)
        (profile / "gimprc").write_text("(show-welcome-dialog no)\n", encoding="utf-8")
        details = record(self.rendezvous, [("u2net", "u2net"), ("u2netp", "u2netp")])
        outside = ["/usr/sbin/chroot", "/host", "/usr/bin/env"] if self.root else ["/usr/bin/env"]
        details["command"] = [*outside, f"PYTHONPATH={os.environ.get('PYTHONPATH', '')}", *details["command"]]
        details["environment"] = {"MATTEBOX_MODELS": str(models_folder())}
        self.plugin = install(profile_at(profile), details)
        for script in SCRIPTS.glob("*.py"):
            shutil.copy(script, self.scratch)

    @property
    def rendezvous(self) -> Path:
        """Where plug-in and engine meet."""
        return self.scratch / "engine"

    @property
    def record(self) -> Record:
        """The record of an engine at the same place, started without the chroot."""
        command = [sys.executable, "-m", "mattebox.cli.main", "engine"]
        environment = {
            "MATTEBOX_MODELS": str(models_folder()),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }
        return Record(command, self.rendezvous, "test", environment, [])

    def command(self, *words: str, **environment: str) -> list[str]:
        """A command line that runs beside GIMP, with its home."""
        known = {
            "HOME": str(self.scratch / "home"),
            "LC_ALL": self.language,
            "MATTEBOX_SCRATCH": str(self.scratch),
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            **environment,
        }
        line = ["env", "-i", *(f"{name}={value}" for name, value in known.items()), *words]
        if self.root is None:
            return line
        enter = ["unshare", "--mount", "--propagation", "private", "bash", "-euc", ENTER, "enter"]
        return [*enter, str(self.root), str(self.scratch), *line]

    def run(self, script: str, timeout: float = 240, *, fonts: bool = False, **given: str) -> str:
        """Run one of the scripts in a headless GIMP; its status must be 0. Returns what it printed.

        `given` are the script's global names with their values.
        """
        place = f"{self.scratch}/{script}.py"
        names = "".join(f"{name} = {value!r}; " for name, value in given.items())
        code = f'import sys; sys.path.insert(0, "{self.scratch}"); {names}exec(open("{place}").read())'
        program = "gimp-console" if self.root else find_program() or ""
        flags = "-id" if fonts else "-idf"
        line = self.command(program, flags, "--batch-interpreter", "python-fu-eval", "-b", code, "--quit")
        done = subprocess.run(line, capture_output=True, text=True, timeout=timeout, check=False)
        said = done.stdout + done.stderr
        assert done.returncode == 0, said[-4000:]
        return said

    def result(self, name: str) -> Result:
        """What a script wrote down under a name."""
        return Result(self.scratch, name, json.loads((self.scratch / f"{name}.json").read_text()))

    def stop(self) -> None:
        """End the engine and remove the scratch folder."""
        line = [*self.record.command, "--folder", str(self.rendezvous), "--stop"]
        subprocess.run(line, capture_output=True, check=False, timeout=60, env={**os.environ})
        shutil.rmtree(self.scratch)
        if self.root is not None:
            place = self.root / self.scratch.relative_to("/")
            if place.exists():
                place.rmdir()


@dataclass
class Result:
    """One layer as GIMP's own script saw it."""

    folder: Path
    name: str
    values: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        """A value that was written as JSON."""
        return self.values[key]

    def plane(self, key: str, channels: int = 1) -> NDArray[Any] | None:
        """Bytes that were written, as an array of the layer's size; None where there are none."""
        data = (self.folder / f"{self.name}.{key}").read_bytes()
        if not data:
            return None
        width, height = self["size"]
        array = np.frombuffer(data, np.uint8 if self["bits"] == 8 else np.uint16)
        return array.reshape((height, width) if channels == 1 else (height, width, channels))

    @property
    def pixels(self) -> NDArray[Any]:
        """(h, w, c) colours."""
        array = self.plane("pixels", self["channels"])
        assert array is not None
        return array.reshape(*array.shape[:2], self["channels"])
