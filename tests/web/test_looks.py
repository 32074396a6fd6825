"""Enough looked at: the page draws from what was delivered, asks, and says what is known of the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.daemon.hot_folders import CONFIG, HotFolders
from tests.web.rig import decided, hot_folders, put, serving, shown

from mattebox.core.errors import SettingsError
from mattebox.daemon.journal.journal import Journal
from mattebox.daemon.journal.rows import new_id
from mattebox.web.table.desk import Desk
from mattebox.web.table.looks import Looks, promise_told, sentences, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

REVIEW = CONFIG.replace("        deliver", "        review: {below: 0.5, to: ./review}\n        deliver")


def more(root: Path, count: int) -> list[str]:
    """Further rows like the one that was delivered, in a batch: they share its files."""
    journal = Journal(root / "state", lock=False)
    (model, *_) = journal.jobs("done")
    added = []
    with journal.transaction():
        for number in range(count):
            plan = replace(model.plan, name=f"copy-{number:03}.jpg", tree="")
            row = replace(model, id=new_id(), plan=plan)
            journal.add(row)
            journal.change(row.id, report={**(model.report or {}), "confidence": 0.9 + number / count * 0.09})
            for kind in ("output", "original"):
                for item in journal.placements(model.id, kind):
                    journal.save(replace(item, job=row.id))
            added.append(row.id)
    journal.close()
    return added


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[Callable[[int], Desk]]:
    """Opens the desk of hot folders with one cutout in review and so many delivered ones."""
    folders = HotFolders(tmp_path, REVIEW)
    folders.drop({"a.jpg": b"doubt", "b.jpg": b"sure"})
    folders.once()
    opened = []

    def opens(delivered: int) -> Desk:
        if delivered > 1:
            more(tmp_path, delivered - 1)
        opened.append(Desk(tmp_path / "state", "config.yaml"))
        opened[-1].changes()
        return opened[-1]

    yield opens
    for desk in opened:
        desk.close()


def page_of(desk: Desk) -> dict[str, Any]:
    """What the page is told of the promise."""
    return promise_told(desk.looks.share, desk.drawn(), desk.looks.undrawn)


def test_looks_are_asked_for_until_the_promise_holds(open_desk: Callable[[int], Desk]) -> None:
    """Each right one brings the promise nearer, undo takes a wrong one back; then nothing is asked."""
    desk = open_desk(120)
    assert page_of(desk)["looks"] == []
    desk.promise(0.1)
    looks = page_of(desk)["looks"]
    review = {item["id"] for item in desk.known.items.values() if item["state"] == "review"}
    assert looks
    assert not review & set(looks)
    desk.decide(looks[:1], "reject")
    assert page_of(desk)["sentences"][0].startswith("1 looked at, 1 wrong; of the 119 that nobody looked at")
    assert looks[0] not in page_of(desk)["looks"]
    desk.undo()
    assert page_of(desk)["looks"] == looks
    count = 0
    while looks := page_of(desk)["looks"]:
        desk.decide(looks[:1], "accept")
        count += 1
    (folder,) = page_of(desk)["folders"]
    assert folder["holds"]
    assert 20 < count < 60
    assert f"{count} looked at, 0 wrong; enough: of the {120 - count}" in folder["sentence"]


def test_where_no_sample_will_do_it_says_so_and_all_are_asked(open_desk: Callable[[int], Desk]) -> None:
    """Of a dozen cutouts 2 % is none: the page says to look at all, and has nothing left after that."""
    desk = open_desk(12)
    desk.promise(0.02)
    (folder,) = page_of(desk)["folders"]
    assert not folder["by_sample"]
    assert "look at all of them" in folder["sentence"]
    assert len(folder["looks"]) == 12
    desk.decide(folder["looks"], "accept")
    (folder,) = page_of(desk)["folders"]
    assert (folder["holds"], folder["looks"]) == (True, [])
    assert folder["sentence"] == "12 looked at, 0 wrong; nothing is left that nobody looked at."


def test_what_a_person_has_seen_is_not_drawn(open_desk: Callable[[int], Desk]) -> None:
    """Neither a cutout that was marked before, nor one that was approved, counts as one that nobody saw."""
    desk = open_desk(12)
    done = [item["id"] for item in desk.known.items.values() if item["state"] == "done"]
    with desk.journal.transaction():
        desk.journal.change(done[0], phase="approved")
    desk.decide(done[1:2], "accept")
    desk.changes_of(done)
    desk.promise(0.05)
    assert {row.job for row in desk.drawn()["studio"]} == set(done[2:])


def test_later_ones_are_drawn_from_when_the_folder_rests(open_desk: Callable[[int], Desk]) -> None:
    """What is delivered after the drawing is told of, and drawn from once nothing was added for a minute."""
    desk = open_desk(12)
    now = [0.0]
    desk.looks = Looks(desk.journal, lambda: now[0])
    desk.promise(0.1)
    more(desk.state.parent, 3)
    desk.changes()
    assert desk.draw()
    assert "3 more were delivered" in page_of(desk)["sentences"][0]
    now[0] = 59.0
    assert not desk.draw()
    more(desk.state.parent, 1)
    desk.changes()
    assert desk.draw()
    now[0] = 118.0
    assert not desk.draw()
    now[0] = 119.0
    assert desk.draw()
    assert len(desk.drawn()["studio"]) == 16
    assert "more were" not in page_of(desk)["sentences"][0]


def test_a_promise_outlives_the_page_and_stays_once_somebody_looked(open_desk: Callable[[int], Desk]) -> None:
    """Another server goes on where the first one was; after a look no other share is promised here."""
    desk = open_desk(12)
    desk.promise(0.05)
    desk.promise(0.1)
    assert {row.share for row in desk.drawn()["studio"]} == {0.1}
    desk.decide(page_of(desk)["looks"][:1], "accept")
    again = open_desk(1)
    assert page_of(again) == page_of(desk)
    again.promise(0.01)
    assert {row.share for row in again.drawn()["studio"]} == {0.1}
    again.promise(0.0)
    assert page_of(again)["looks"] == []
    for wrong in (0.5, -1.0, float("nan")):
        with pytest.raises(SettingsError):
            again.promise(wrong)


def test_what_was_given_back_is_asked_about_no_more(open_desk: Callable[[int], Desk]) -> None:
    """A drawn cutout whose original changed late is cut anew; the old one is neither shown nor counted."""
    desk = open_desk(12)
    desk.promise(0.1)
    first = page_of(desk)["looks"][0]
    with desk.journal.transaction():
        desk.journal.change(first, state="returning")
        desk.journal.change(first, state="returned")
    assert first not in page_of(desk)["looks"]
    assert sum(len(rows) for rows in desk.drawn().values()) == 11


def test_a_wrong_one_stays_known_after_it_was_taken_back(open_desk: Callable[[int], Desk]) -> None:
    """What is taken back was wrong as it came, whatever becomes of it: else mending would make a promise."""
    desk = open_desk(12)
    desk.promise(0.1)
    first, second = page_of(desk)["looks"][:2]
    assert desk.decide([first], "back") == [first]
    said = page_of(desk)["sentences"]
    assert said[0].startswith("1 looked at, 1 wrong; of the 11 that nobody looked at")
    with desk.journal.transaction():
        desk.journal.change(first, state="review", phase="review")
        desk.journal.decisions.carried_out(first)
    desk.decide([first], "accept")
    assert page_of(desk)["sentences"] == said
    with desk.journal.transaction():
        desk.journal.change(first, state="returned")
    assert page_of(desk)["sentences"] == said
    desk.decide([second], "back")
    assert page_of(desk)["sentences"] != said
    assert desk.undo() == [second]
    assert page_of(desk)["sentences"] == said


def test_what_cannot_come_back_is_told(tmp_path: Path) -> None:
    """Of a rule without a review, or where the original is gone, one sentence says what to do instead."""
    folders = HotFolders(tmp_path, CONFIG)
    folders.drop({"b.jpg": b"sure"})
    folders.once()
    desk = Desk(tmp_path / "state", "config.yaml")
    (item,) = desk.changes()[0]
    with pytest.raises(SettingsError, match=r"^b\.jpg: it cannot come back, .* hot folder again\.$"):
        desk.decide([item["id"]], "back")
    assert desk.journal.decisions.of(item["id"]) is None
    desk.close()


def test_several_folders_are_named(open_desk: Callable[[int], Desk]) -> None:
    """One folder needs no name before its sentence, two do."""
    desk = open_desk(12)
    desk.promise(0.1)
    one = desk.drawn()["studio"]
    assert sentences(told({"studio": one}, {}))[0].startswith("0 looked at")
    two = sentences(told({"studio": one}, {"attic": 1}))
    assert two[0].startswith("attic: 1 more was delivered")
    assert two[1].startswith("studio: 0 looked at")


@pytest.mark.slow
def test_the_page_asks_tells_and_stops(page: Any, tmp_path: Path) -> None:
    """P leads to the promise; sure ones come between the doubtful; the sentence follows; the sheet has it."""
    folders = hot_folders(tmp_path)
    put(folders, [*(f"photo-{number}.jpg" for number in (100, 200, 300, 400)), "sure-020.jpg"])
    folders.once()
    more(tmp_path, 99)
    known = "document.getElementById('known').textContent"
    with serving(folders.config) as server:
        page.goto(server.address)
        shown(page, "!!document.body.dataset.painted")
        assert not page.is_visible("#known")
        page.keyboard.press("p")
        assert page.evaluate("document.activeElement.id") == "promise"
        page.select_option("#promise", "0.1")
        shown(page, f"{known}.startsWith('0 looked at, 0 wrong; of the 100 that nobody looked at')")
        page.keyboard.press("Escape")
        for name in ("photo-100.jpg", "photo-200.jpg", "photo-300.jpg"):
            shown(page, f"document.getElementById('name').textContent === {name!r}")
            page.keyboard.press("a")
        shown(page, "document.getElementById('summary').textContent.includes('delivered')")
        page.keyboard.press("b")
        shown(page, "document.getElementById('again').open")
        assert page.is_visible("#again-back")
        page.keyboard.press("Escape")
        page.keyboard.press("r")
        shown(page, f"{known}.startsWith('1 looked at, 1 wrong')")
        assert "Q takes it back" in page.inner_text("#message")
        page.keyboard.press("u")
        shown(page, f"{known}.startsWith('0 looked at, 0 wrong')")
        for _ in range(60):
            if page.evaluate("document.getElementById('known').dataset.holds") == "yes":
                break
            before = page.inner_text("#known")
            asked = page.evaluate("document.getElementById('summary').textContent.includes('delivered')")
            page.keyboard.press("a")
            if asked:
                shown(page, f"{known} !== {before!r}")
        shown(page, "document.getElementById('known').dataset.holds === 'yes'")
        sentence = page.inner_text("#known")
        assert "0 wrong; enough: of the" in sentence
        shown(page, "!document.getElementById('nothing').hidden")
        origin = page.evaluate("location.origin")
        sheet = page.request.get(f"{origin}/api/sheet").text()
        assert f"<p>{sentence}</p>" in sheet
    said = list(decided(folders).values())
    assert set(said) == {"accept"}
    assert 4 + 20 < len(said) < 4 + 60
