"""The light table's parts without a browser: what was drawn, lists, files, and what comes back."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.daemon.hot_folders import CONFIG, HotFolders

from mattebox.core.errors import SettingsError
from mattebox.daemon.journal.journal import Journal
from mattebox.web.table.desk import Desk, again_settings
from mattebox.web.table.executor import PriorityExecutor
from mattebox.web.table.folder import finished
from mattebox.web.table.handover import HandoverWatch, hand_over
from mattebox.web.table.page_prompts import labels_of, prompts_from, read_page_prompts
from mattebox.web.table.pictures import cut, png
from mattebox.web.table.sheet import contact_sheet
from mattebox.web.table.variants import variants_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REVIEW = CONFIG.replace("        deliver", "        review: {below: 0.5, to: ./review}\n        deliver")
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
NUMBERS = st.floats(-1e6, 1e6)
STROKES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["in", "out", "unsure"]),
        "size": st.floats(0.5, 20000),
        "points": st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5),
    }
)


@given(JSON)
def test_nonsense_is_refused_in_one_sentence(data: Any) -> None:
    """Whatever a page sends is read, or refused as an error of ours and no other."""
    with suppress(SettingsError):
        assert read_page_prompts(data).clicks is not None


@given(
    clicks=st.lists(st.tuples(NUMBERS, NUMBERS, st.booleans()), max_size=4),
    box=st.none() | st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    strokes=st.lists(STROKES, max_size=3),
)
def test_what_is_drawn_lies_within_the_photo(clicks: Any, box: Any, strokes: Any) -> None:
    """Clicks, boxes and strokes that leave the photo end at its edge, however far they go."""
    said = read_page_prompts({"clicks": clicks, "box": box, "strokes": strokes})
    prompts = prompts_from(said, 40, 30, None)
    assert all(0 <= click.x < 40 and 0 <= click.y < 30 for click in prompts.clicks)
    if prompts.box is not None:
        left, top, right, bottom = prompts.box
        assert 0 <= left < right <= 40
        assert 0 <= top < bottom <= 30
    if prompts.strokes is not None:
        assert prompts.strokes.inside.shape == (30, 40)


def test_a_later_stroke_lies_over_an_earlier_one() -> None:
    """Where two strokes cross the last one counts, as wide as it was drawn."""
    across = {"kind": "in", "size": 4, "points": [[0, 15], [39, 15]]}
    down = {"kind": "out", "size": 4, "points": [[20, 0], [20, 29]]}
    labels = labels_of(read_page_prompts({"strokes": [across, down]}), 40, 30)
    assert labels is not None
    assert labels[15, 5] == 1
    assert labels[15, 20] == 2
    assert labels[3, 20] == 2
    assert 3 <= (labels[:, 5] == 1).sum() <= 6


def test_a_cutout_keeps_its_alpha_and_weighs_nothing_where_it_is_hidden() -> None:
    """PNG gives the matte back bit for bit; hidden pixels are black."""
    rng = np.random.default_rng(5)
    shown = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    alpha = np.zeros((30, 40), np.uint8)
    alpha[5:20, 10:30] = 255
    alpha[5] = 90
    with Image.open(io.BytesIO(png(cut(shown, alpha)))) as picture:
        found = np.asarray(picture)
    assert (found[..., 3] == alpha).all()
    assert (found[alpha == 0] == 0).all()
    assert (found[10:20, 10:30, :3] == shown[10:20, 10:30]).all()


def test_a_lane_does_what_is_urgent_first_and_leaves_what_was_cancelled() -> None:
    """Of what waits the smallest number goes first; a cancelled future is never begun."""
    lane = PriorityExecutor("test")
    done: list[str] = []
    hold = lane.ask(lambda: (done.append("first"), time.sleep(0.1)))
    later = lane.ask(lambda: done.append("later"), 5)
    never = lane.ask(lambda: done.append("never"), 1)
    soon = lane.ask(lambda: done.append("soon"), 0)
    assert never.cancel()
    for future in (hold, later, soon):
        future.result(5)
    failing = lane.ask(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        failing.result(5)
    lane.stop()
    assert done == ["first", "soon", "later"]


def test_asking_again_names_what_there_is() -> None:
    """A quality or a network of this computer; anything else is refused."""
    assert again_settings({"quality": "best", "other": 1}, []) == {"quality": "best"}
    assert again_settings({"model": "isnet"}, ["isnet"]) == {"model": "isnet"}
    for wrong in ({}, {"quality": "superb"}, {"model": "isnet"}, {"model": "../x"}):
        with pytest.raises(SettingsError):
            again_settings(wrong, ["u2net"])
    names = [{"quality": "fast"}, {"quality": "balanced"}, {"quality": "best"}, {"model": "b"}]
    assert variants_of("a", ["a", "b"]) == names


def test_the_sheet_holds_everything_as_text() -> None:
    """One file with its pictures in it; names and warnings are text; what is in work is left out."""
    item = {
        "id": "1",
        "state": "review",
        "verdict": "reject",
        "mended": False,
        "confidence": 0.5,
        "warnings": [],
    }
    items = [{**item, "name": "<b>&\udcff.jpg"}, {**item, "id": "2", "name": "x", "state": "work"}]

    async def picture(_: str) -> bytes:
        return b"jpeg"

    async def collect() -> str:
        return "".join(
            [part async for part in contact_sheet("<i>", items, picture, ["At most 2 % are wrong."])]
        )

    # The browser's driver has a loop of its own in this thread.
    with ThreadPoolExecutor() as pool:
        text = pool.submit(lambda: asyncio.run(collect())).result()
    assert "<title>&lt;i&gt;</title>" in text
    assert "&lt;b&gt;&amp;" in text
    assert "1 rejected" in text
    assert "At most 2 % are wrong." in text
    assert text.count("<li") == 1
    assert "http" not in text


def test_finished_cutouts_are_found_beside_their_photos(tmp_path: Path) -> None:
    """Only photos with outputs count, and no output counts as a photo."""
    names = ["a.jpg", "a.cutout.png", "a.mask.png", "b.jpg", "c.cutout.png", "a.0123456789.x.matte.png"]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "d.png").write_bytes(b"x")
    (tmp_path / "sub" / "d.cutout.psd").write_bytes(b"x")
    found = {photo.name: [path.name for path in outputs] for photo, outputs in finished(tmp_path)}
    assert found == {"a.jpg": ["a.cutout.png", "a.mask.png"], "d.png": ["d.cutout.psd"]}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """The desk of hot folders with one cutout in review."""
    folders = HotFolders(tmp_path, REVIEW)
    folders.drop({"a.jpg": b"doubt"})
    folders.once()
    found = Desk(tmp_path / "state", "config.yaml")
    yield found
    found.close()


def test_only_what_has_changed_is_told(desk: Desk) -> None:
    """All once, nothing while nothing happens, one item after a decision, also of another process."""
    (item,), _ = desk.changes()
    assert desk.changes() == ([], [])
    other = Journal(desk.state, lock=False)
    with other.transaction():
        other.decisions.decide([item["id"]], "reject")
    other.close()
    (changed,), gone = desk.changes()
    assert (changed["verdict"], gone) == ("reject", [])
    json.dumps(changed)


def test_a_journal_that_was_set_aside_is_followed(desk: Desk) -> None:
    """When the state folder is another one, the page shows that one, and old ids are gone."""
    (item,), _ = desk.changes()
    shutil.rmtree(desk.state)
    Journal(desk.state).close()
    assert desk.changes() == ([], [item["id"]])


def test_an_unknown_or_finished_job_is_not_decided(desk: Desk) -> None:
    """Ids that the journal does not know are passed over."""
    (item,), _ = desk.changes()
    assert desk.decide(["../../x", item["id"], item["id"]], "accept") == [item["id"]]
    assert desk.decide(["nothing"], "again") == []
    assert desk.undo() == [item["id"]]


def test_a_half_saved_psd_is_waited_for(desk: Desk) -> None:
    """A PSD counts as saved when it has been the same for two seconds and holds a mask."""
    now = [0.0]
    (item,), _ = desk.changes()
    opened: list[Path] = []
    hand_over(desk, item["id"], opened.append)
    returns = HandoverWatch(desk, lambda: now[0])
    assert returns.look() == []
    opened[0].write_bytes(b"half")
    assert returns.look() == []
    now[0] = 5.0
    assert returns.look() == []
    decision = desk.journal.decisions.of(item["id"])
    assert decision is not None
    assert decision.verdict == "handed"
