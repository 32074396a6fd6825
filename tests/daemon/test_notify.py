"""Notifications reach a webhook and a command; neither can stop the work or leak a secret."""

from __future__ import annotations

import json
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from mattebox.daemon.config import Metrics, Notify
from mattebox.daemon.events import Event, Events, log_line
from mattebox.daemon.notify import Notifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Server(HTTPServer):
    """Answers with the statuses that it is given, in order, then with 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.requests: list[tuple[str, dict[str, str], Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server: Any = self.server
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.requests.append((self.path, dict(self.headers), body))
                self.send_response(server.statuses.pop(0) if server.statuses else 200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A webhook's other end."""
    monkeypatch.delenv("MATTEBOX_OFFLINE", raising=False)
    with Server() as here:
        thread = threading.Thread(target=here.serve_forever)
        thread.start()
        yield here
        here.shutdown()
        thread.join()


def notify(settings: dict[str, Any], *events: Event) -> list[str]:
    """Send events and wait; what was complained about."""
    complaints: list[str] = []
    notifier = Notifier(Notify.model_validate(settings), complaints.append, first_pause=0.01)
    for event in events:
        notifier(event)
    notifier.stop(30)
    return complaints


def test_a_webhook_is_tried_again_until_it_takes_the_event(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is busy gets the same event again; secrets come from the environment."""
    monkeypatch.setenv("HOOK_TOKEN", "s3cret")
    server.statuses = [500, 503]
    url = f"http://127.0.0.1:{server.server_port}/hook"
    settings = {"webhook": {"url": url, "headers": {"Authorization": "Bearer ${HOOK_TOKEN}"}}}
    delivered = Event("delivered", "studio", "ab", {"outputs": ["/x/\udcff.png"]})
    assert notify(settings, delivered, Event("working", "studio")) == []
    assert len(server.requests) == 3
    path, headers, body = server.requests[-1]
    assert path == "/hook"
    assert headers["Authorization"] == "Bearer s3cret"
    assert body["event"] == "delivered"
    assert body["outputs"] == ["/x/\\udcff.png"]


@pytest.mark.parametrize(("statuses", "tries"), [([404] * 9, 1), ([500] * 9, 3)])
def test_a_webhook_is_given_up_without_its_secrets(server: Server, statuses: list[int], tries: int) -> None:
    """A refusal is final, trouble is tried so often; the complaint names the host alone."""
    server.statuses = list(statuses)
    url = f"http://127.0.0.1:{server.server_port}/T0KEN?key=s3cret"
    complaints = notify({"webhook": {"url": url, "attempts": 3}}, Event("failed"))
    assert len(server.requests) == tries
    assert len(complaints) == 1
    assert "127.0.0.1" in complaints[0]
    assert "T0KEN" not in complaints[0]
    assert "s3cret" not in complaints[0]


def test_a_webhook_hears_nothing_offline(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """With MATTEBOX_OFFLINE=1 nothing is sent, and one line says why."""
    monkeypatch.setenv("MATTEBOX_OFFLINE", "1")
    url = f"http://127.0.0.1:{server.server_port}/T0KEN"
    assert notify({"webhook": {"url": url}}, Event("failed")) == [
        "failed: MATTEBOX_OFFLINE forbids the webhook at 127.0.0.1"
    ]
    assert server.requests == []


def test_a_command_reads_the_event(tmp_path: Path) -> None:
    """It gets JSON on its input and the event's name in its environment."""
    target = tmp_path / "seen.json"
    code = "import os, sys; open(sys.argv[1], 'w').write(os.environ['MATTEBOX_EVENT'] + sys.stdin.read())"
    settings = {"command": [sys.executable, "-c", code, str(target)], "on": ["idle"]}
    assert notify(settings, Event("idle", values={"delivered": 3}), Event("failed")) == []
    text = target.read_text(encoding="utf-8")
    assert text.startswith("idle{")
    assert json.loads(text.removeprefix("idle"))["delivered"] == 3


def test_a_command_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The work goes on; one line says which command and why."""
    complaints = notify({"command": [str(tmp_path / "nothing")]}, Event("idle"))
    assert complaints == [f"idle: the command {tmp_path / 'nothing'} failed (No such file or directory)"]


def test_metrics_are_served_on_loopback() -> None:
    """Counters by folder and outcome, in Prometheus' own text."""
    import socket

    from mattebox.daemon.metrics import Meter

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    meter = Meter(Metrics(port=port))
    try:
        meter(Event("delivered", "studio", "ab", {"seconds": 1.5}))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text = answer.read().decode()
    finally:
        meter.stop()
    assert 'mattebox_photos_total{folder="studio",outcome="delivered"} 1.0' in text


def test_a_log_line_is_one_line_whatever_is_in_it() -> None:
    """Values with spaces, quotes or newlines are quoted; the job's id is there."""
    line = log_line(Event("failed", "studio", "ab12", {"why": 'a "b"\nc', "n": 1.5}, time=0.0))
    assert line == '1970-01-01T00:00:00Z error failed folder=studio job=ab12 why="a \\"b\\"\\nc" n=1.500'


def test_a_listener_that_fails_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """The next listener still hears the event."""
    heard: list[Event] = []

    def broken(_: Event) -> None:
        raise ValueError("broken")

    Events(broken, heard.append).tell("idle")
    assert len(heard) == 1
    assert "A listener failed on idle" in capsys.readouterr().err
