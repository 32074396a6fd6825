"""The command that adds an optional package to the environment that Mattebox runs in."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from typing import Final

_EXTRA: Final = re.compile(r"extra\s*==\s*['\"]([\w-]+)['\"]")


def pip() -> str:
    """This environment's own pip, as typed: another one on the user's path adds to another Python."""
    return _typed([sys.executable, "-m", "pip"])


def install_command(extra: str) -> str:
    """What to type for the packages of one extra; Mattebox itself need not be in any index for it."""
    return f"{pip()} install {_typed(packages_of(extra))}"


def packages_of(extra: str) -> list[str]:
    """The requirements of an extra as pip takes them; the extra itself where they are not known."""
    from importlib import metadata  # noqa: PLC0415 - slow to load

    try:
        told = metadata.requires("mattebox") or []
    except metadata.PackageNotFoundError:
        told = []
    found = []
    for line in told:
        requirement, _, marker = line.partition(";")
        match = _EXTRA.search(marker)
        if match and match[1] == extra:
            found.append(requirement.strip())
    return found or [f"mattebox[{extra}]"]


def _typed(words: list[str]) -> str:
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
