"""`mattebox cluster`: a mistake is told under its option."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from mattebox.cli.main import app


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--memory", "plenty"),
        ("--map", "photos"),
        ("--map", "a=b"),
        ("--resources", "GPU"),
        ("--resources", "GPU=many"),
        ("--resources", "GPU=1e999"),
        ("--resources", "GPU=-1"),
    ],
)
def test_what_an_option_cannot_be_is_wrong_use(option: str, text: str) -> None:
    """It is refused in one sentence before anything is connected to."""
    done = CliRunner().invoke(app, ["cluster", "worker", "tcp://127.0.0.1:9", option, text])
    assert done.exit_code == 2
    assert f"Error: {option}: " in done.stderr
