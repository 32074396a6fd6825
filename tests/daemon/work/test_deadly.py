"""A photo that kills whoever works on it costs its own three attempts and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.daemon.hot_folders import CONFIG, HotFolders
from tests.daemon.work.deadly_tasks import deadly_inspection, deadly_job

from mattebox.daemon.config.load import load_config
from mattebox.daemon.events import Events
from mattebox.daemon.intake.inspection import inspect_file
from mattebox.daemon.run import RunningPool, run
from mattebox.daemon.work.tasks import do_job
from mattebox.daemon.work.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mattebox.daemon.inbox import Inbox


class Deadly(Workers):
    """Real worker processes that do deadly work instead of an engine's."""

    def submit(self, token: Any, function: Callable[[Any], Any], argument: Any, timeout: float) -> None:
        """The same way, with other work at its end."""
        super().submit(
            token, {do_job: deadly_job, inspect_file: deadly_inspection}[function], argument, timeout
        )


@pytest.mark.slow
def test_deadly_photos_among_good_ones(tmp_path: Path) -> None:
    """The good ones are delivered; the deadly ones are in failed/ after three attempts, with reasons."""
    hot_folders = HotFolders(tmp_path)
    good = {f"good-{number}.jpg": b"good %d" % number for number in range(6)}
    hot_folders.drop({**good, "work.jpg": b"deadly work", "look.jpg": b"deadly look"})

    def start_pool(inbox: Inbox) -> RunningPool:
        return RunningPool(Deadly(inbox, workers=2, threads=1, device="cpu"), 3)

    summary = run(
        load_config(hot_folders.config), Events(hot_folders.events.append), once=True, start_pool=start_pool
    )
    assert (summary.delivered, summary.failed, summary.left) == (6, 2, 0)
    assert hot_folders.files("done") == good
    failed = hot_folders.files("failed")
    assert set(failed) == {"work.jpg", "look.jpg", "work.jpg.reason.json", "look.jpg.reason.json"}
    reason = json.loads(failed["work.jpg.reason.json"])
    assert reason["attempts"] == 3
    assert "SIGKILL" in reason["what"]
    assert "3 times" in json.loads(failed["look.jpg.reason.json"])["what"]
    assert not list(tmp_path.rglob(".mattebox*"))


@pytest.mark.slow
@pytest.mark.network
def test_a_photo_beyond_the_workers_memory_among_good_ones(
    tmp_path: Path, shipped_photos: dict[str, Path]
) -> None:
    """It costs its own attempts and lies in failed/ with what to do; the others are delivered."""
    from PIL import Image

    text = CONFIG.replace("{grace: 1s}", "{model: u2netp, workers: 1, memory: 1.5GB}")
    hot_folders = HotFolders(
        tmp_path, text.replace("deliver:", "cut: {limits: {megapixels: 500}}\n        deliver:")
    )
    Image.new("RGB", (48_000, 10_000), "gray").save(tmp_path / "in" / "huge.jpg")
    for number in range(3):
        with Image.open(shipped_photos["flower.jpg"]) as picture:
            picture.resize((320, 213)).save(tmp_path / "in" / f"small-{number}.jpg")
    summary = run(load_config(hot_folders.config), Events(hot_folders.events.append), once=True)
    assert (summary.delivered, summary.failed, summary.left) == (3, 1, 0)
    reason = json.loads(hot_folders.files("failed")["huge.jpg.reason.json"])
    assert reason["kind"] == "NotEnoughMemoryError"
    assert reason["attempts"] == 3
    assert "engine: memory" in reason["do"]
