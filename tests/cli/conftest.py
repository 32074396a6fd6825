"""The command, run inside the test process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from mattebox.cli.main import main


@dataclass(frozen=True)
class Ran:
    """What one call of the command left behind."""

    status: int
    out: str
    err: str


@pytest.fixture
def mattebox(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Call `mattebox ARGUMENTS` and get status, stdout and stderr."""

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["mattebox", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capfd.readouterr()
        return Ran(int(end.value.code or 0), out, err)

    return run
