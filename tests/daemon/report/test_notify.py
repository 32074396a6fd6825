"""Notifications reach a webhook and a command; neither can stop the work or leak a secret."""

from __future__ import annotations

import json
import socket
import sys
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from mattebox.daemon.config.keys import Metrics, Notify
from mattebox.daemon.events import Event, Events, log_line
from mattebox.daemon.report.notify import Notifier, notifying, webhook_is_off

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
    """A refusal is final, a failure is tried so often; the complaint names the host alone."""
    server.statuses = list(statuses)
    url = f"http://127.0.0.1:{server.server_port}/T0KEN?key=s3cret"
    complaints = notify({"webhook": {"url": url, "attempts": 3}}, Event("failed"))
    assert len(server.requests) == tries
    assert len(complaints) == 1
    assert "127.0.0.1" in complaints[0]
    assert "T0KEN" not in complaints[0]
    assert "s3cret" not in complaints[0]


@contextmanager
def peer(answer: bytes, *, drip: float = 0.0) -> Iterator[tuple[str, list[bytes]]]:
    """A port on loopback that answers every connection with these bytes, one each `drip` seconds."""
    asked: list[bytes] = []
    done = threading.Event()

    def talk(connection: socket.socket) -> None:
        with connection:
            try:
                asked.append(connection.recv(65536))
                for byte in answer if drip else ():
                    connection.sendall(bytes([byte]))
                    if done.wait(drip):
                        return
                if not drip:
                    connection.sendall(answer)
            except OSError:
                return  # the other side has hung up

    def serve() -> None:
        while True:
            try:
                connection, _ = door.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}/", asked
        done.set()
        door.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"\x00" * 70_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz",
    ],
    ids=["ssh", "nothing", "no status", "200 headers", "zeros", "bad chunks"],
)
def test_a_peer_that_speaks_no_http_ends_nothing_for_the_others(answer: bytes, tmp_path: Path) -> None:
    """Each event is told to the command all the same, the next ones too, and no library's word is shown."""
    heard = tmp_path / "heard"
    code = "import os, sys; open(sys.argv[1], 'a').write(os.environ['MATTEBOX_EVENT'] + ' ')"
    command = [sys.executable, "-c", code, str(heard)]
    with peer(answer) as (url, asked):
        complaints = notify(
            {"webhook": {"url": url, "attempts": 1}, "command": command}, Event("idle"), Event("failed")
        )
    assert heard.read_text(encoding="utf-8") == "idle failed "
    assert len(asked) == 2
    assert not any(word in " ".join(complaints) for word in ("BadStatusLine", "LineTooLong", "RemoteDisc"))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    """A redirect is a refusal that names the other host; nothing, and no secret, is sent there."""
    with peer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (other, asked):
        answer = f"HTTP/1.1 {status} Moved\r\nLocation: {other}x?t=1\r\nContent-Length: 0\r\n\r\n"
        with peer(answer.encode()) as (url, first):
            hook = {"url": url, "headers": {"Authorization": "Bearer s3cret"}}
            complaints = notify({"webhook": hook}, Event("idle"))
    assert len(first) == 1
    assert asked == []
    assert len(complaints) == 1
    assert f"HTTP {status}: it redirects to 127.0.0.1" in complaints[0]


def test_the_timeout_bounds_the_whole_call() -> None:
    """A peer that sends a byte now and then is given up; the bytes alone would take hours."""
    with peer(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 9000, drip=0.3) as (url, _):
        complaints = notify({"webhook": {"url": url, "timeout": "500ms", "attempts": 1}}, Event("idle"))
    assert [("no answer in time" in line) for line in complaints] == [True]


@pytest.mark.parametrize(
    ("url", "off"),
    [
        ("http://example.com/", True),
        ("https://127.example.com/", True),
        ("http://10.0.0.1/", True),
        ("http://localhost:1/", False),
        ("http://127.3.2.1/", False),
        ("http://[::1]:80/", False),
        ("${HOOK}", True),
    ],
)
def test_offline_means_no_webhook_beyond_this_machine(
    url: str, off: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MATTEBOX_OFFLINE turns the webhook off unless its address is loopback; without it nothing is off."""
    settings = Notify.model_validate({"webhook": {"url": url}})
    monkeypatch.setenv("HOOK", "https://example.com/secret")
    monkeypatch.setenv("MATTEBOX_OFFLINE", "1")
    assert webhook_is_off(settings) is off
    monkeypatch.delenv("MATTEBOX_OFFLINE")
    assert not webhook_is_off(settings)


def test_a_webhook_that_is_off_is_told_once_and_never_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One event at the start says so; what others are owed stays owed for a run that may call."""
    from mattebox.daemon.inbox import Inbox
    from mattebox.daemon.journal.journal import Journal

    monkeypatch.setenv("MATTEBOX_OFFLINE", "1")
    settings = Notify.model_validate({"webhook": {"url": "http://192.0.2.1/"}})
    heard: list[Event] = []
    journal = Journal(tmp_path)
    try:
        events = Events(heard.append)
        with notifying(settings, journal, events, Inbox()):
            events.emit("idle")
    finally:
        journal.close()
    assert [event.name for event in heard] == ["notify-off", "idle"]


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The complaint says which variable; nothing is tried again."""
    monkeypatch.delenv("NO_SUCH", raising=False)
    complaints = notify(
        {"webhook": {"url": "http://127.0.0.1:9/", "headers": {"A": "${NO_SUCH}"}}}, Event("idle")
    )
    assert complaints == [
        "idle: the webhook at 127.0.0.1 did not take it (NO_SUCH is not set in the environment)"
    ]


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


@pytest.mark.slow
def test_metrics_are_served_on_loopback() -> None:
    """Counters by folder and outcome, in Prometheus' own text; a request for another host gets nothing."""
    import socket

    from mattebox.daemon.report.metrics import MetricsServer

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    metrics_server = MetricsServer(Metrics(port=port))
    try:
        metrics_server(Event("delivered", "studio", "ab", {"seconds": 1.5}))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text = answer.read().decode()
        for host in (f"evil.example:{port}", "evil.example", "127.0.0.1.evil.example:80", ""):
            foreign = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Host": host})
            with pytest.raises(urllib.error.HTTPError, match="421"):
                urllib.request.urlopen(foreign)  # noqa: S310 - the line above
    finally:
        metrics_server.stop()
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

    Events(broken, heard.append).emit("idle")
    assert len(heard) == 1
    assert "A listener failed on idle" in capsys.readouterr().err
