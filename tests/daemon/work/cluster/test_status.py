"""`mattebox status` names each worker of a cluster: its machine, what it does, and why one does nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mattebox.cli.status import _show
from mattebox.daemon.config.load import load_config
from mattebox.daemon.journal.journal import Journal
from mattebox.daemon.report.status import gather, write_live

if TYPE_CHECKING:
    import pytest

WORKERS: list[dict[str, Any]] = [
    {
        "name": "studio-1", "address": "tls://10.0.0.2:1", "host": "pc2 (process 7)", "state": "ready",
        "why": [], "doing": ["a.jpg", "b.jpg"], "done": 12, "images_per_minute": 1.2,
    },
    {
        "name": "attic-1", "address": "tls://10.0.0.3:1", "host": "", "state": "refused",
        "why": ["it lacks the weights of u2net: run 'mattebox models pull u2net' there."],
        "doing": [], "done": 0, "images_per_minute": 0.0,
    },
]  # fmt: skip
CONFIG = """\
version: 1
state: ./state
folders:
  - {name: studio, watch: ./in, rules: [{deliver: [{format: png, to: "./out/{stem}.png"}]}]}
"""


def test_workers_are_shown_while_a_daemon_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the daemon noted is what is shown; without a daemon there are no workers."""
    (tmp_path / "in").mkdir()
    (tmp_path / "c.yaml").write_text(CONFIG, encoding="utf-8")
    loaded = load_config(tmp_path / "c.yaml")
    journal = Journal(loaded.state, config=loaded.path)
    try:
        write_live(loaded.state, {}, WORKERS)
        found = gather(loaded)
    finally:
        journal.close()
    assert found["workers"] == WORKERS
    assert gather(loaded)["workers"] == []
    _show(found)
    shown = " ".join(capsys.readouterr().out.split())
    for words in ("studio-1", "pc2 (process 7)", "a.jpg, b.jpg", "attic-1: it lacks the weights of u2net"):
        assert words in shown
