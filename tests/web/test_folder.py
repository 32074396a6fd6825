"""The table of a folder without a browser: cut again, decided, rendered beside what is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from tests.web.rig import SIZE, draw_matte, draw_photo

from mattebox.core.job import run_job
from mattebox.web.table.folder import FolderDesk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mattebox.web.table.folder import Work


@pytest.fixture
def open_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], FolderDesk]]:
    """Opens the table of a folder with two photos, whose finished cutouts hold nothing."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "photos"
    for name in ("a", "b"):
        draw_photo(folder / f"{name}.jpg", 100)
        Image.new("RGBA", SIZE).save(folder / f"{name}.cutout.png")
    opened: list[FolderDesk] = []

    def opens() -> FolderDesk:
        if opened:
            opened[-1].close()
        opened.append(FolderDesk(folder))
        opened[-1].changes()
        return opened[-1]

    yield opens
    opened[-1].close()


def ids(desk: FolderDesk) -> dict[str, str]:
    """Each photo's job."""
    return {item["name"]: item["id"] for item in desk.known.items.values()}


def do(desk: FolderDesk, work: Work, folder: Path) -> None:
    """The real work, but for the network, in whose place a disc is drawn."""
    matte = work.job.matte
    if matte is None:
        matte = folder / "disc.png"
        draw_matte(matte)
    desk.finish(work.id, run_job(replace(work.job, matte=matte)))


def test_what_is_asked_again_is_shown_and_rendered_once_accepted(
    open_desk: Callable[[], FolderDesk], tmp_path: Path
) -> None:
    """Cut by the settings that were asked for, it comes back to be decided; accepted, it lies beside."""
    desk = open_desk()
    job = ids(desk)["a.jpg"]
    former = desk.sources(job).matte
    assert desk.decide([job], "again", settings={"quality": "best"}) == [job]
    # A server that was killed meanwhile begins it anew.
    assert desk.begin() is not None
    desk = open_desk()
    work = desk.begin()
    assert work is not None
    assert (work.id, work.job.cut.quality) == (job, "best")
    do(desk, work, tmp_path)
    assert desk.begin() is None
    (item,) = desk.changes_of([job])
    assert (item["state"], item["verdict"], item["why"]) == ("review", "", "cut again: best")
    assert desk.sources(job).matte != former
    desk.decide([job, ids(desk)["b.jpg"]], "accept")
    desk.send()
    desk = open_desk()
    work = desk.begin()
    assert work is not None
    do(desk, work, tmp_path)
    assert desk.begin() is None
    folder = tmp_path / "photos"
    assert sorted(path.name for path in folder.glob("*.cutout.png")) == [
        "a-2.cutout.png",
        "a.cutout.png",
        "b.cutout.png",
    ]
    with Image.open(folder / "a-2.cutout.png") as picture:
        alpha = np.asarray(picture.getchannel("A"))
    assert (alpha[SIZE[1] // 2, SIZE[0] // 2], alpha[0, 0]) == (255, 0)


def test_what_was_taken_back_meanwhile_stays_as_it_was(
    open_desk: Callable[[], FolderDesk], tmp_path: Path
) -> None:
    """Undo while it is being cut: the former cutout is shown, and what was cut is left."""
    desk = open_desk()
    job = ids(desk)["a.jpg"]
    former = desk.sources(job).matte
    desk.decide([job], "again", settings={"quality": "fast"})
    work = desk.begin()
    assert work is not None
    assert desk.undo() == [job]
    do(desk, work, tmp_path)
    assert desk.sources(job).matte == former
    assert desk.begin() is None


def test_what_could_not_be_cut_is_open_again(open_desk: Callable[[], FolderDesk]) -> None:
    """A failure leaves the photo with its former cutout and nothing decided, and is not tried for ever."""
    desk = open_desk()
    job = ids(desk)["a.jpg"]
    desk.decide([job], "again", settings={"quality": "fast"})
    assert desk.begin() is not None
    desk.give_up(job)
    assert desk.begin() is None
    assert desk.journal.decisions.of(job) is None
