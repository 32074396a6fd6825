"""Folders take turns: one that is full does not keep the photos of another one waiting."""

from __future__ import annotations

from pathlib import Path

from tests.daemon.hot_folders import CONFIG, HotFolders


def test_two_folders_are_worked_on_side_by_side(quick_disk: Path) -> None:
    """When the second folder's few photos are done, most of the first one's many still wait."""
    head, _, folder = CONFIG.partition("folders:\n")
    other = folder.replace("studio", "other").replace("./", "./other-")
    hot_folders = HotFolders(quick_disk, f"{head}folders:\n{folder}{other}")
    (quick_disk / "other-in").mkdir()
    hot_folders.drop({f"{number:02}.jpg": b"good %d" % number for number in range(30)})
    for number in range(5):
        (quick_disk / "other-in" / f"{number}.jpg").write_bytes(b"good other %d" % number)
    assert hot_folders.once().delivered == 35
    order = [event.folder for event in hot_folders.events_named("delivered")]
    last = max(place for place, name in enumerate(order) if name == "other")
    assert order[: last + 1].count("studio") < 16
