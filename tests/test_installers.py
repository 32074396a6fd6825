"""The installers in .ci/ work with a package index that is past its date."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CI = Path(__file__).resolve().parent.parent / ".ci"


def test_a_date_that_has_passed_stops_no_installer() -> None:
    """The setting is apt's own, read from the file that the installers name."""
    if not shutil.which("apt-config"):
        pytest.skip("no apt")
    told = subprocess.run(
        ["apt-config", "dump", "Acquire::Check-Valid-Until"],
        env={**os.environ, "APT_CONFIG": str(CI / "apt.conf")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == 'Acquire::Check-Valid-Until "false";'


def test_every_installer_uses_these_settings() -> None:
    """Whatever calls apt-get names apt.conf first, and the chroot is given the same setting."""
    callers = [path for path in CI.glob("*.sh") if "apt-get" in path.read_text(encoding="utf-8")]
    assert callers
    for path in callers:
        text = path.read_text(encoding="utf-8")
        assert -1 < text.find("/apt.conf") < text.find("apt-get update"), path
    assert "Acquire::Check-Valid-Until" in (CI / "gimp.sh").read_text(encoding="utf-8")
