"""The commands about hot folders: what they print, and with which exit status they end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from tests.daemon.hot_folders import CONFIG, HotFolders

from mattebox.cli.main import app

if TYPE_CHECKING:
    from pathlib import Path

REVIEW = CONFIG.replace("        deliver", "        review: {below: 0.5, to: ./review}\n        deliver")


def call(*arguments: Any) -> Any:
    """Run a command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("command", ["check", "simulate", "status", "once", "watch", "retry", "approve"])
def test_a_broken_configuration_is_status_2(tmp_path: Path, command: str) -> None:
    """Each command tells the mistake with its place and does nothing."""
    hot_folders = HotFolders(tmp_path, CONFIG + "nonsense: 1\n")
    done = call(command, hot_folders.config)
    assert done.exit_code == 2
    assert f"{hot_folders.config}:16:1: nonsense: there is no such key" in done.stderr
    assert not (tmp_path / "state").exists()


def test_status_counts(tmp_path: Path) -> None:
    """Done, review and failed are counted, the last errors are shown, and nothing is changed."""
    hot_folders = HotFolders(tmp_path, REVIEW)
    empty = json.loads(call("status", hot_folders.config, "--json").stdout)
    assert empty["folders"][0]["done"] == 0
    assert not (tmp_path / "state").exists()
    hot_folders.drop({"a.jpg": b"good", "b.jpg": b"doubt", "c.jpg": b"bad"})
    hot_folders.once()
    hot_folders.drop({"d.jpg": b"waits"})
    found = json.loads(call("status", hot_folders.config, "--json").stdout)
    folder = found["folders"][0]
    assert [folder[key] for key in ("waiting", "working", "done", "review", "failed")] == [1, 0, 1, 1, 1]
    assert folder["images_per_minute"] > 0
    assert found["running"] is False
    assert found["last_errors"][0]["input"].endswith("c.jpg")
    table = call("status", hot_folders.config)
    assert table.exit_code == 0
    assert "studio" in table.stdout
    assert "No daemon is running." in table.stdout
    with hot_folders.watching():
        running = json.loads(call("status", hot_folders.config, "--json").stdout)
        assert running["running"] is True


def test_retry_brings_back_what_failed(tmp_path: Path) -> None:
    """All failed jobs, or the ones named; an unknown id is told and ends with 1."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.jpg": b"bad", "b.jpg": b"bad"})
    hot_folders.once()
    job = json.loads(hot_folders.files("failed")["a.jpg.reason.json"])["job"]
    assert call("retry", hot_folders.config, "nothing").exit_code == 1
    assert call("retry", hot_folders.config, job).stdout.endswith("a.jpg: waits again.\n")
    assert set(hot_folders.files("in")) == {"a.jpg"}
    assert call("retry", hot_folders.config).exit_code == 0
    assert hot_folders.files() == {"in/a.jpg": b"bad", "in/b.jpg": b"bad"}
    assert call("retry", hot_folders.config).stdout == "Nothing has failed.\n"


def test_approve_lists_and_approves(tmp_path: Path) -> None:
    """Without ids it lists reviews; with one the next run delivers."""
    hot_folders = HotFolders(tmp_path, REVIEW)
    hot_folders.drop({"a.jpg": b"doubt", "b.jpg": b"doubt"})
    hot_folders.once()
    lines = call("approve", hot_folders.config).stdout.splitlines()
    ids = {line.split()[1].rpartition("/")[2].rstrip(":"): line.split()[0] for line in lines}
    shown = call("status", hot_folders.config).stdout
    assert "2 photos are in review; their originals wait in" in " ".join(shown.split())
    assert str(tmp_path / "in" / ".mattebox") in shown.replace("\n", "")
    approved = call("approve", hot_folders.config, ids["a.jpg"])
    assert approved.exit_code == 0
    assert approved.stdout.endswith("The next 'mattebox once' or 'mattebox watch' delivers it.\n")
    rejected = call("approve", hot_folders.config, ids["b.jpg"], "--reject")
    assert rejected.exit_code == 0
    assert rejected.stdout.endswith("moves its original to failed.\n")
    assert call("approve", hot_folders.config, "nothing").exit_code == 1
    summary = hot_folders.once()
    assert (summary.delivered, summary.failed) == (1, 1)
    assert not hot_folders.files("review")


def test_simulate_tells_rules_and_writes_nothing(tmp_path: Path, shipped_photos: dict[str, Path]) -> None:
    """Each file with the rule that takes it, why the earlier do not, and where its outputs would go."""
    wide = (
        "      - name: wide\n        when: {min_width: 5000}\n"
        '        deliver: [{format: png, to: "./w/{stem}.png"}]\n'
    )
    text = CONFIG.replace("      - name: all", f"{wide}      - name: all")
    hot_folders = HotFolders(tmp_path, text)
    hot_folders.drop(
        {"f.jpg": shipped_photos["flower.jpg"].read_bytes(), "notes.txt": b"x", "bad.jpg": b"bad"}
    )
    before = hot_folders.files()
    done = call("simulate", hot_folders.config, "--json")
    answers = {answer["path"]: answer for answer in map(json.loads, done.stdout.splitlines())}
    assert answers["f.jpg"]["rule"] == "all"
    assert answers["f.jpg"]["not"] == {"wide": "its width is 640 px, below 5000 px"}
    assert [path.rpartition("/")[2] for path in answers["f.jpg"]["outputs"]] == ["f.psd", "f.png"]
    assert answers["notes.txt"]["rule"] is None
    assert answers["bad.jpg"]["note"].startswith("It would go to failed:")
    assert "f.jpg: rule all\n    not wide: its width" in call("simulate", hot_folders.config).stdout
    assert hot_folders.files() == before
    assert not (tmp_path / "state").exists()


def test_help_of_every_command_is_there() -> None:
    """No command is listed that cannot be called."""
    from mattebox.cli.main import COMMANDS

    for name in COMMANDS:
        assert call(name, "--help").exit_code == 0, name
