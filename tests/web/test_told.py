"""What the light table says where there is nothing: in our own words, never in a library's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient
from tests.daemon.hot_folders import CONFIG, HotFolders
from tests.gimp_plugin.test_messages import engine_warnings

from mattebox.cli.main import app
from mattebox.web.table.app import table_app
from mattebox.web.table.desk import Desk
from mattebox.web.table.table import Table
from mattebox.web.table.words import WARNINGS, in_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Somebody who was let in, at the table of hot folders in which nothing is."""
    folders = HotFolders(tmp_path_factory.mktemp("told"), CONFIG)
    folders.once()
    table = Table(lambda: Desk(folders.root / "state", "config.yaml"))
    yield TestClient(table_app(table), base_url="http://127.0.0.1", raise_server_exceptions=False)
    table.stop()


@pytest.mark.parametrize("path", ["/nothing", "/static/none.js", "/static/", "/x", "/%2e%2e/etc/passwd"])
def test_an_unknown_address_leads_back_to_the_table(client: TestClient, path: str) -> None:
    """A mistyped address is a page with one sentence and a way back."""
    answer = client.get(path)
    assert answer.status_code == 404
    assert "There is nothing at this address." in answer.text
    assert '<a href="/">' in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/api/decide", 405),
        ("POST", "/api/decide", 400),
        ("GET", "/api/photo/none", 404),
        ("GET", "/api/photo/none/variants/99", 404),
        ("POST", "/api/promise", 400),
    ],
)
def test_what_a_page_asks_in_vain_is_told_as_json(
    client: TestClient, method: str, path: str, status: int
) -> None:
    """One sentence of ours, which the page shows."""
    answer = client.request(method, path, content="{}")
    assert answer.status_code == status
    assert re.fullmatch(r"[A-Z].*\.", answer.json()["error"])
    assert answer.json()["error"] not in ("Not Found.", "Method Not Allowed.")


def test_what_nobody_foresaw_is_a_sentence_too(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of another kind shows its name and none of its words."""

    async def broken(_: Table) -> None:
        raise ZeroDivisionError("secret words")

    monkeypatch.setattr(Table, "sentences", broken)
    answer = client.get("/api/sheet")
    assert answer.status_code == 500
    assert "ZeroDivisionError" in answer.json()["error"]
    assert "secret" not in answer.text


def test_every_warning_is_read_in_words() -> None:
    """Each name that the engine gives has words here; a newer one's dashes are left out."""
    assert engine_warnings() == set(WARNINGS)
    assert not [words for words in WARNINGS.values() if "_" in words]
    assert in_words(["touches_frame", "of_a_newer_version"]) == ["touches the frame", "of a newer version"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("none", "none: there is no such folder."),
        ("none.yaml", "none.yaml: there is no such configuration."),
        ("photo.JPG", "photo.JPG: that is a photo; name the folder in which it lies."),
    ],
)
def test_what_is_no_folder_is_told_as_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    """`mattebox table` of something that is not there, or of a photo: one sentence, exit status 2."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.JPG").write_bytes(b"x")
    done = CliRunner().invoke(app, ["table", name, "--no-browser"])
    assert done.exit_code == 2
    assert told in done.output
