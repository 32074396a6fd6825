"""Hot folders with a real scheduler and real worker processes, some of which die, hang or are not right."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.daemon.hot_folders import HotFolders, until
from tests.daemon.work.cluster.real import CONFIG, CopyingPool, RealCluster, good, kill, real_cluster

from mattebox.daemon.config.load import load_config
from mattebox.daemon.events import Events
from mattebox.daemon.run import Summary, run
from mattebox.daemon.work.cluster.start import start_cluster

pytestmark = [pytest.mark.slow, pytest.mark.network]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RealCluster]:
    """A scheduler without workers yet."""
    with real_cluster(tmp_path) as found:
        yield found


@pytest.fixture
def folders(tmp_path: Path, cluster: RealCluster) -> HotFolders:
    """Hot folders whose jobs go to the cluster."""
    root = tmp_path / "hot"
    root.mkdir()
    return HotFolders(root, CONFIG.format(port=cluster.port))


def once(folders: HotFolders) -> Summary:
    """All that waits, by the product's own loop and pool."""
    loaded, events = load_config(folders.config), Events(folders.events.append)
    return run(
        loaded, events, once=True, start_pool=lambda inbox: start_cluster(loaded, inbox, events, CopyingPool)
    )


@contextmanager
def going_on(folders: HotFolders) -> Iterator[list[Summary]]:
    """The same in a thread, so that something can be done to the cluster meanwhile."""
    found: list[Summary] = []
    thread = threading.Thread(target=lambda: found.append(once(folders)))
    thread.start()
    try:
        yield found
    finally:
        thread.join(120)
    assert not thread.is_alive()


def test_deadly_and_hanging_photos_cost_only_themselves(cluster: RealCluster, folders: HotFolders) -> None:
    """Each has its three attempts, and what merely waited behind it was never blamed."""
    text = folders.config.read_text(encoding="utf-8").replace("timeout: 10s", "timeout: 1s")
    folders.config.write_text(text, encoding="utf-8")
    cluster.start_workers("w", 2)
    folders.drop({**good(16, 0.05), "a-deadly.jpg": b"deadly", "a-hanging.jpg": b"hanging"})
    summary = once(folders)
    assert (summary.delivered, summary.failed, summary.left) == (16, 2, 0)
    failed = folders.files("failed")
    told = {name: json.loads(failed[f"a-{name}.jpg.reason.json"]) for name in ("deadly", "hanging")}
    assert {name: (item["kind"], item["attempts"]) for name, item in told.items()} == {
        "deadly": ("crash", 3),
        "hanging": ("timeout", 3),
    }
    assert {Path(event.values["input"]).name for event in folders.events_named("retry")} == {
        "a-deadly.jpg",
        "a-hanging.jpg",
    }
    assert_one_set_each(folders, good(16, 0.05))


def _unreachable(folders: HotFolders) -> list[str]:
    """What was told of a scheduler that is away."""
    return [str(event) for event in folders.events_named("held") if "the scheduler " in str(event)]


def test_a_scheduler_that_goes_away_is_waited_for(cluster: RealCluster, folders: HotFolders) -> None:
    """Told once; jobs that ran are nobody's fault; with the new scheduler everything goes on."""
    cluster.start_workers("w", 2)
    photos = good(20, 0.3)
    folders.drop(photos)
    with going_on(folders) as summaries:
        until(lambda: len(folders.events_named("delivered")) >= 4)
        cluster.kill("scheduler")
        until(lambda: bool(_unreachable(folders)))
        delivered = len(folders.events_named("delivered"))
        assert delivered < 20
        cluster.start_scheduler()
    assert summaries[0] == Summary(20, 0, 0, "idle")
    assert not folders.events_named("retry")
    assert_one_set_each(folders, photos)


def test_a_worker_that_is_stopped_gives_its_jobs_back_unharmed(
    cluster: RealCluster, folders: HotFolders
) -> None:
    """SIGTERM at work costs no attempt; a kill costs the running job one, and the next in line none."""
    cluster.start_workers("stopped", 1)
    photos = good(6, 0.5)
    folders.drop(photos)
    with going_on(folders) as summaries:
        until(lambda: len(folders.events_named("delivered")) >= 1)
        cluster.processes["stopped"].send_signal(signal.SIGTERM)
        until(lambda: bool(folders.events_named("worker-gone")))
        assert not folders.events_named("retry")
        cluster.start_workers("killed", 1)
        until(lambda: len(folders.events_named("delivered")) >= 2)
        (pid,) = cluster.workers("killed")
        time.sleep(0.2)
        kill(pid)
    assert summaries[0] == Summary(6, 0, 0, "idle")
    assert len(folders.events_named("retry")) <= 1
    assert_one_set_each(folders, photos)


def test_a_worker_that_is_not_right_is_named_and_gets_nothing(
    cluster: RealCluster, folders: HotFolders, tmp_path: Path
) -> None:
    """Without the weights, or without the storage: told why, while another one does all the work."""
    cluster.start_workers("lacks", 1, MATTEBOX_MODELS=os.fspath(tmp_path / "nothing"))
    cluster.start_workers("blind", 1, "--map", f"{folders.root}={tmp_path / 'elsewhere'}")
    photos = good(4)
    folders.drop(photos)
    with going_on(folders) as summaries:
        until(lambda: len(folders.events_named("worker-refused")) >= 2)
        cluster.start_workers("right", 1)
    told = {
        event.values["worker"].split("-")[0]: event.values["why"]
        for event in folders.events_named("worker-refused")
    }
    assert "mattebox models pull u2netp" in told["lacks"]
    assert "--map" in told["blind"]
    assert set(told) == {"lacks", "blind"}
    assert summaries[0] == Summary(4, 0, 0, "idle")
    assert_one_set_each(folders, photos)


def assert_one_set_each(folders: HotFolders, photos: Any) -> None:
    """Every photo's original in done/, its two outputs with its own bytes, and nothing else anywhere."""
    assert folders.files("done") == photos
    expected = {
        f"{Path(name).stem}.{form}": form.encode() + b":" + data
        for name, data in photos.items()
        for form in ("psd", "png")
    }
    assert folders.files("out") == expected
    assert not list(folders.root.rglob(".mattebox-*"))
