"""Other tools, each in a virtual environment of its own below a cache folder; never installed beside us."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = {"rembg": "rembg[cpu,cli]==2.0.86"}


@dataclass(frozen=True, slots=True)
class Rembg:
    """rembg with the weights that we use ourselves."""

    python: Path
    environment: dict[str, str]

    def one(self, source: Path, target: Path) -> list[str]:
        """The command that cuts one photo."""
        return [str(self.python.with_name("rembg")), "i", "-m", "u2net", str(source), str(target)]

    def folder(self, source: Path, target: Path) -> list[str]:
        """The command that cuts a folder of photos."""
        return [str(self.python.with_name("rembg")), "p", "-m", "u2net", str(source), str(target)]


def rembg(weights: Path, folder: Path | None = None) -> Rembg:
    """Make (once) the environment of rembg and give it our u2net; its first import compiles for a minute."""
    home = (folder or user_cache_path("mattebox-bench")) / "rembg"
    python = home / "bin" / "python"
    if not python.exists():
        print(f"Installing {PACKAGES['rembg']} into {home} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", PACKAGES["rembg"]], check=True)
    models = home / "weights"
    models.mkdir(exist_ok=True)
    if not (models / "u2net.onnx").exists():
        shutil.copyfile(weights, models / "u2net.onnx")
    environment = {**os.environ, "U2NET_HOME": str(models), "ORT_DISABLE_TELEMETRY": "1"}
    environment.pop("PYTHONPATH", None)
    return Rembg(python, environment)
