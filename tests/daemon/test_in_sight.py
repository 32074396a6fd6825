"""No photo is out of sight: what hot folders pass over, leave alone or look at late is told."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.daemon.hot_folders import CONFIG, HotFolders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.slow
def test_hidden_photos_and_links_are_told_of(tmp_path: Path, mattebox: Command) -> None:
    """Once and simulate name photos behind dots and links, and nothing that only looks like one."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop(
        dict.fromkeys([".hidden.jpg", "d/.../deep/x.png", ".DS_Store", "._a.jpg", ".b.jpg.part"], b"x")
    )
    (tmp_path / "in" / "link.jpg").symlink_to(hot_folders.config)
    assert hot_folders.once().delivered == 0
    assert [event.values["paths"] for event in hot_folders.events_named("passed-over")] == [
        [".hidden.jpg", "d/.../deep/x.png"], ["link.jpg"]
    ]  # fmt: skip
    said = mattebox("simulate", hot_folders.config)
    assert said.returncode == 0, said.stderr
    assert "studio: .hidden.jpg, d/.../deep/x.png: hidden files are left alone" in said.stdout
    assert "studio: link.jpg: links are not followed." in said.stdout
    answers = [
        json.loads(line) for line in mattebox("simulate", hot_folders.config, "--json").stdout.splitlines()
    ]
    assert [answer["passed_over"] for answer in answers] == [
        [".hidden.jpg", "d/.../deep/x.png"],
        ["link.jpg"],
    ]


@pytest.mark.slow
def test_simulate_takes_the_example_that_check_calls_right(example: Path, mattebox: Command) -> None:
    """A watched folder that is not there yet is no mistake; one that was there and is gone is."""
    assert mattebox("check", example).returncode == 0
    said = mattebox("simulate", example)
    assert said.returncode == 0, said.stderr
    assert "is not there yet" in said.stdout
    assert sorted(path.name for path in example.parent.iterdir()) == [example.name]
    hot_folders = HotFolders(example.parent / "yard")
    hot_folders.once()
    (hot_folders.root / "in").rmdir()
    said = mattebox("simulate", hot_folders.config)
    assert said.returncode == 1
    assert "is gone" in said.stderr


@pytest.mark.slow
def test_status_counts_no_file_as_waiting_that_no_rule_takes(tmp_path: Path, mattebox: Command) -> None:
    """By its name or by its header: what is left alone does not wait."""
    from PIL import Image

    hot_folders = HotFolders(
        tmp_path, CONFIG.replace("        deliver", "        when: {min_width: 100}\n        deliver")
    )
    Image.new("RGB", (10, 10), "red").save(tmp_path / "in" / "small.png")
    Image.new("RGB", (200, 10), "red").save(tmp_path / "in" / "wide.png")
    hot_folders.drop({"notes.txt": b"x"})
    (folder,) = json.loads(mattebox("status", hot_folders.config, "--json").stdout)["folders"]
    assert (folder["waiting"], folder["left_alone"]) == (1, 2)
    assert "studio: 2 files that no rule takes." in mattebox("status", hot_folders.config).stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limit", "why"), [("max_inotify_watches=3", "rescans alone"), ("max_inotify_instances=0", "no events: ")]
)
def test_few_watches_are_told_of(tmp_path: Path, limit: str, why: str) -> None:
    """Where the kernel has no watch for a sub-folder, or none at all, it is polled and that is said."""
    hot_folders = HotFolders(
        tmp_path, CONFIG.replace("    settle", "    poll: 200ms\n    settle").replace("1s", "1h")
    )
    hot_folders.drop({f"{number}/deep/x.txt": b"x" for number in range(5)})
    # In a user namespace of its own the limit harms nobody else.
    name, _, most = limit.partition("=")
    limited = f'echo {most} > /proc/sys/user/{name}; exec "$@"'
    code = (
        "from pathlib import Path; import sys; from tests.daemon.hot_folders import HotFolders, until\n"
        "hot = HotFolders(Path(sys.argv[1]), Path(sys.argv[1], 'config.yaml').read_text())\n"
        "with hot.watching():\n"
        "    until(lambda: bool(hot.events_named('polling')))\n"
        "    hot.drop({'3/deep/late.jpg': b'one'})\n"
        "    until(lambda: bool(hot.events_named('delivered')))\n"
        "print(hot.events_named('polling')[0].values['why'])\n"
    )
    done = subprocess.run(
        ["unshare", "-Ur", "sh", "-c", limited, "sh", sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert why in done.stdout
