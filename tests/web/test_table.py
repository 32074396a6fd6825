"""The light table in a real browser: the queue, decisions, what is kept when the server dies, who may ask."""

from __future__ import annotations

import html
import http.client
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from tests.daemon.hot_folders import until
from tests.web.rig import colour_of, decided, hot_folders, jobs, put, serving, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.daemon.hot_folders import HotFolders
    from tests.web.rig import Server

pytestmark = pytest.mark.slow

TWELVE = [f"photo-{number:03}.jpg" for number in range(100, 1300, 100)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hot folders with twelve cutouts in review and a sure one delivered; to be copied, not used."""
    folders = hot_folders(tmp_path_factory.mktemp("finished"))
    put(folders, [*TWELVE, "sure-020.jpg"])
    folders.once()
    return folders.root


@pytest.fixture
def folders(tmp_path: Path) -> HotFolders:
    """Hot folders with six cutouts in review, the least sure first: photo-100 to photo-600."""
    found = hot_folders(tmp_path)
    put(found, TWELVE[:6])
    found.once()
    return found


@pytest.fixture
def server(folders: HotFolders) -> Iterator[Server]:
    """The light table of those."""
    with serving(folders.config) as found:
        yield found


@pytest.fixture
def table(page: Any, server: Server) -> Any:
    """The page, with its first photo painted."""
    page.goto(server.address)
    shown(page, "!!document.body.dataset.painted")
    return page


def painted(page: Any, name: str) -> None:
    """Wait until a photo of that name is on the stage, in its own colour."""
    shown(page, f"document.getElementById('name').textContent === {name!r}")
    shown(page, "document.body.dataset.painted === document.querySelector('.row.current').id.slice(4)")
    number = int(name[6:9])
    middle = page.evaluate(
        "(() => { const c = document.getElementById('canvas');"
        "return [...c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data].slice(0, 3); })()"
    )
    assert all(abs(one - two) < 12 for one, two in zip(middle, colour_of(number), strict=True))


def saved(page: Any) -> None:
    """Wait until the server has answered all that was decided."""
    shown(page, "(document.body.dataset.saving ?? '0') === '0'")


def test_accept_reject_and_undo_by_key(table: Any, folders: HotFolders) -> None:
    """One key decides and the next photo is there; undo brings the last one back; the journal knows all."""
    painted(table, "photo-100.jpg")
    assert table.inner_text("#counter") == "6 of 6 left"
    table.keyboard.press("a")
    painted(table, "photo-200.jpg")
    table.keyboard.press("r")
    painted(table, "photo-300.jpg")
    saved(table)
    assert decided(folders) == {"photo-100.jpg": "accept", "photo-200.jpg": "reject"}
    shown(table, "document.getElementById('counter').textContent === '4 of 6 left'")
    table.keyboard.press("u")
    painted(table, "photo-200.jpg")
    assert decided(folders) == {"photo-100.jpg": "accept"}
    assert {job.state for job in jobs(folders).values()} == {"review"}


def test_what_is_decided_is_delivered_when_it_is_sent(table: Any, folders: HotFolders) -> None:
    """D sends; the next run publishes what was accepted, rejects the rest, and the page sees it."""
    for key in "aar":
        table.keyboard.press(key)
    saved(table)
    folders.once()
    assert folders.files("out") == {}
    table.keyboard.press("d")
    saved(table)
    folders.once()
    states = {name: job.state for name, job in jobs(folders).items()}
    assert [states[name] for name in TWELVE[:4]] == ["done", "done", "failed", "review"]
    assert set(folders.files("out")) == {f"photo-{n}.{end}" for n in (100, 200) for end in ("psd", "png")}
    table.select_option("#filter-state", "failed")
    painted(table, "photo-300.jpg")


def test_what_was_delivered_is_taken_back(table: Any, folders: HotFolders) -> None:
    """Q at a delivered one and 0: it is told what happens, then it is in review again, and undelivered."""
    table.keyboard.press("a")
    saved(table)
    table.keyboard.press("d")
    saved(table)
    folders.once()
    table.select_option("#filter-state", "done")
    painted(table, "photo-100.jpg")
    table.keyboard.press("Escape")
    table.keyboard.press("m")
    shown(table, "document.getElementById('message').textContent.includes('Q takes it back')")
    table.keyboard.press("q")
    shown(table, "document.getElementById('again').open")
    assert "its outputs are removed" in table.inner_text("#again-back")
    table.keyboard.press("0")
    saved(table)
    assert decided(folders) == {"photo-100.jpg": "back"}
    folders.once()
    assert folders.files("out") == {}
    table.select_option("#filter-state", "open")
    shown(table, "document.getElementById('counter').textContent === '6 of 6 left'")
    table.keyboard.press("Escape")
    table.keyboard.press("Home")
    painted(table, "photo-100.jpg")
    assert "taken back after its delivery" in table.inner_text("#summary")


def test_asking_again_brings_it_back_by_other_settings(table: Any, folders: HotFolders) -> None:
    """Q and a number ask; the daemon cuts anew, and the photo is open again without a reload."""
    table.keyboard.press("q")
    table.keyboard.press("1")
    painted(table, "photo-200.jpg")
    table.keyboard.press("b")
    painted(table, "photo-300.jpg")
    saved(table)
    assert decided(folders) == {"photo-100.jpg": "again", "photo-200.jpg": "again"}
    folders.once()
    shown(table, "document.getElementById('counter').textContent === '6 of 6 left'")
    found = jobs(folders)
    assert [found[name].plan.cut.quality for name in TWELVE[:3]] == ["fast", "best", "balanced"]


def test_a_run_is_decided_by_one_key(table: Any, folders: HotFolders) -> None:
    """Shift selects a run, one key decides for all of it, one undo takes all of it back."""
    for _ in range(3):
        table.keyboard.press("Shift+ArrowDown")
    table.keyboard.press("r")
    painted(table, "photo-500.jpg")
    saved(table)
    assert len(decided(folders)) == 4
    table.keyboard.press("Control+z")
    shown(table, "document.getElementById('counter').textContent === '6 of 6 left'")
    assert decided(folders) == {}


def test_new_photos_appear_while_they_are_processed(table: Any, folders: HotFolders) -> None:
    """The list grows, in its order, by what the daemon does; the photo on the stage stays."""
    table.keyboard.press("j")
    painted(table, "photo-200.jpg")
    put(folders, ["photo-050.jpg", "photo-250.jpg"])
    folders.once()
    shown(table, "document.getElementById('counter').textContent === '8 of 8 left'")
    names = table.eval_on_selector_all(
        ".row",
        "rows => rows.sort((a, b) => a.ariaPosInSet - b.ariaPosInSet).map(r => r.ariaLabel.split(',')[0])",
    )
    assert names[:4] == ["photo-050.jpg", "photo-100.jpg", "photo-200.jpg", "photo-250.jpg"]
    painted(table, "photo-200.jpg")


def test_filters_let_through_what_they_say(table: Any) -> None:
    """By warning, and by what was decided."""
    table.select_option("#filter-warning", "touches_frame")
    painted(table, "photo-300.jpg")
    assert table.locator(".row").count() == 2
    table.select_option("#filter-warning", "")
    table.keyboard.press("Escape")
    table.locator("#list").focus()
    table.keyboard.press("a")
    saved(table)
    table.select_option("#filter-state", "marked")
    shown(table, "document.querySelectorAll('.row').length === 1")


def test_a_killed_server_loses_no_decision(page: Any, folders: HotFolders) -> None:
    """Whatever was acknowledged is in the journal after kill -9, and the next server shows it."""
    with serving(folders.config) as server:
        page.goto(server.address)
        shown(page, "!!document.body.dataset.painted")
        page.keyboard.press("a")
        page.keyboard.press("r")
        saved(page)
        server.kill()
        shown(page, "document.body.dataset.live === 'no'")
        page.keyboard.press("a")
        shown(page, "document.getElementById('message').textContent.includes('not saved')")
        assert decided(folders) == {"photo-100.jpg": "accept", "photo-200.jpg": "reject"}
        server.start()
        page.goto(server.address)
        shown(page, "document.getElementById('counter').textContent === '4 of 6 left'")
        page.keyboard.press("u")
        shown(page, "document.getElementById('counter').textContent === '5 of 6 left'")
        assert decided(folders) == {"photo-100.jpg": "accept"}


def test_the_keyboard_alone_suffices(table: Any, folders: HotFolders) -> None:
    """From the address on: to the filters and back, decide, look at the keys, deliver."""
    table.keyboard.press("?")
    shown(table, "document.getElementById('help').open")
    listed = table.inner_text("#help-keys")
    assert all(
        word in listed for word in ("accept", "reject", "1:1 at the pointer", "take the last decision back")
    )
    table.keyboard.press("Escape")
    table.keyboard.press("/")
    table.keyboard.press("d")
    shown(table, "document.getElementById('filter-state').value !== 'open'")
    table.select_option("#filter-state", "open")
    table.keyboard.press("Escape")
    table.keyboard.press("l")
    table.keyboard.press("End")
    painted(table, "photo-600.jpg")
    table.keyboard.press("a")
    saved(table)
    table.keyboard.press("d")
    saved(table)
    assert decided(folders) == {"photo-600.jpg": "accept"}
    names = table.eval_on_selector_all(
        "button, select, canvas, [role=listbox], [role=option]",
        "parts => parts.filter(p => !(p.ariaLabel || p.textContent.trim() || p.labels?.length)).length",
    )
    assert names == 0


def test_a_name_full_of_html_is_text(page: Any, tmp_path: Path) -> None:
    """A name is shown letter by letter, in the list, on the stage and in the contact sheet."""
    name = '<img src=x onerror="document.title=1">&amp;\'-100.jpg'
    folders = hot_folders(tmp_path)
    put(folders, [name])
    folders.once()
    with serving(folders.config) as server:
        page.goto(server.address)
        shown(page, "!!document.body.dataset.painted")
        assert page.inner_text("#name") == name
        assert page.locator(".row .name").first.evaluate("part => part.firstChild.textContent") == name
        assert page.evaluate("document.title").startswith("1 left")
        sheet = page.evaluate("fetch('/api/sheet').then(answer => answer.text())")
    assert html.escape(name) in sheet
    assert "<img src=x" not in sheet


def ask(server: Server, path: str, headers: dict[str, str], method: str = "GET") -> int:
    """The status of a request that no browser would send."""
    place = urlsplit(server.address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
    connection.request(method, path, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_only_who_has_the_token_gets_in(page: Any, server: Server) -> None:
    """Without it, with a wrong one, by another name and from another origin nothing is answered."""
    place = urlsplit(server.address)
    own = f"{place.hostname}:{place.port}"
    assert ask(server, "/", {"Host": own}) == 401
    assert ask(server, "/?token=wrong", {"Host": own}) == 401
    assert ask(server, "/api/events", {"Host": own}) == 401
    assert ask(server, f"/?{place.query}", {"Host": "evil.example"}) == 421
    page.goto(server.address)
    shown(page, "!!document.body.dataset.painted")
    assert "token" not in page.url
    (cookie,) = page.context.cookies()
    assert (cookie["sameSite"], cookie["httpOnly"]) == ("Strict", True)
    own_cookie = {"Host": own, "Cookie": f"{cookie['name']}={cookie['value']}"}
    assert ask(server, "/", own_cookie) == 200
    assert ask(server, "/api/undo", {**own_cookie, "Origin": "http://evil.example"}, "POST") == 403
    assert ask(server, "/api/undo", {**own_cookie, "Origin": f"http://{own}"}, "POST") == 200
    assert ask(server, "/static/..%2f..%2f__init__.py", own_cookie) == 404
    assert ask(server, "/api/photo/..%2f..%2fetc%2fpasswd/before", own_cookie) == 404


@pytest.mark.parametrize(
    "body", ["[]", "{", '{"jobs": 1}', '{"jobs": [], "verdict": "delete"}', "[" * 100000]
)
def test_nonsense_is_refused_and_changes_nothing(table: Any, folders: HotFolders, body: str) -> None:
    """What the page would never send is answered with 400."""
    status = table.evaluate(
        "body => fetch('/api/decide', {method: 'POST', body}).then(answer => answer.status)", body
    )
    assert status == 400
    assert decided(folders) == {}


def test_looking_changes_what_is_painted(table: Any, figure: Callable[[str], None]) -> None:
    """Grounds, matte, before, tint, slider and 1:1 each paint what they say, and zoom stays across photos."""
    corner = (
        "(() => { const c = document.getElementById('canvas'); const d = c.getContext('2d');"
        "return [...d.getImageData(c.width / 2, c.height * 0.06, 1, 1).data].slice(0, 3); })()"
    )
    seen = {}
    for _ in range(4):
        table.keyboard.press("f")
        seen[table.evaluate("document.body.dataset.ground")] = table.evaluate(corner)
    assert seen["black"] == [0, 0, 0]
    assert seen["white"] == [255, 255, 255]
    assert seen["magenta"] == [255, 0, 255]
    table.keyboard.down("Space")
    blue = table.evaluate(corner)
    assert blue[2] > blue[0] + 30
    table.keyboard.up("Space")
    assert table.evaluate(corner) != blue
    table.keyboard.press("x")
    assert table.evaluate(corner) == [0, 0, 0]
    table.keyboard.press("x")
    table.keyboard.press("t")
    orange = table.evaluate(
        "(() => { const c = document.getElementById('canvas'); const d = c.getContext('2d');"
        "const p = d.getImageData(0, 0, c.width, c.height).data; let n = 0;"
        "for (let i = 0; i < p.length; i += 4)"
        "n += p[i] > 230 && p[i + 1] > 120 && p[i + 1] < 190 && p[i + 2] < 90;"
        "return n; })()"
    )
    assert orange > 100
    table.keyboard.press("t")
    table.mouse.move(600, 300)
    table.keyboard.press("z")
    table.keyboard.press("j")
    painted(table, "photo-200.jpg")


@pytest.mark.timeout(600)
def test_ten_thousand_photos_are_no_burden(page: Any, finished: Path, tmp_path: Path) -> None:
    """The list draws what is in view, wherever it is scrolled to; all are decided by one key."""
    from tests.web.many import many

    folders = many(finished, tmp_path / "many", 10_000)
    with serving(folders.config) as server:
        page.goto(server.address)
        shown(page, "document.getElementById('counter').textContent === '10012 of 10012 left'", 60)
        shown(page, "!!document.body.dataset.painted")
        assert page.locator(".row").count() < 60
        page.keyboard.press("End")
        shown(page, "document.getElementById('name').textContent === 'photo-900.jpg'")
        page.evaluate("document.getElementById('list').scrollTop = 300000")
        shown(page, "document.querySelector('.row').ariaSetSize === '10012'")
        assert page.locator(".row").count() < 60
        page.keyboard.press("Home")
        page.keyboard.press("Control+a")
        page.keyboard.press("r")
        shown(page, "document.getElementById('counter').textContent === '0 of 10012 left'", 60)
        saved(page)
        assert len(decided(folders)) == 10_012
        page.keyboard.press("u")
        shown(page, "document.getElementById('counter').textContent === '10012 of 10012 left'", 60)
    until(lambda: decided(folders) == {})
