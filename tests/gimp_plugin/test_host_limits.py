"""Nothing that a peer or the system does to the engine's socket stops it for good, or makes anybody wait."""

from __future__ import annotations

import errno
import json
import os
import resource
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection, Listener, SocketListener
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.gimp_plugin.test_host import MASK, PIXELS, REQUEST, knock, silent

from mattebox.cli import engine as engine_command
from mattebox.gimp_plugin.host import Host
from mattebox.gimp_plugin.mattebox import client, protocol, start, timeouts
from mattebox.gimp_plugin.mattebox.client import Engine, EngineError, Record

Wait = Callable[[Callable[[], bool]], None]
Peer = Callable[[Connection], None]
DESCRIPTORS = 64
CALLERS = 100
COMMAND = [sys.executable, "-m", "mattebox.cli.main", "engine"]


@pytest.fixture
def poor_engine(record: Record) -> Iterator[subprocess.Popen[bytes]]:
    """A real engine's process that may open few files."""
    process = subprocess.Popen(
        [*record.command, "--folder", str(record.folder)],
        stdout=subprocess.PIPE,
        env={**os.environ, **record.environment},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS)),  # noqa: PLW1509 - no threads in the child yet
    )
    assert process.stdout is not None
    assert b"listens" in process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def run(record: Record, option: str) -> subprocess.CompletedProcess[str]:
    """One of the command's questions, as a user asks it."""
    line = [*COMMAND, "--folder", str(record.folder), option]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="open files are counted in /proc")
def test_too_many_open_files_pass(
    poor_engine: subprocess.Popen[bytes], record: Record, wait_until: Wait
) -> None:
    """After 100 connections at once to an engine of 64 open files, it cuts, tells its status and stops."""
    opened = Path(f"/proc/{poor_engine.pid}/fd")
    callers = [socket.socket(socket.AF_UNIX) for _ in range(CALLERS)]
    waiting = list(callers)

    def is_full() -> bool:
        while waiting:
            waiting[0].setblocking(False)
            if waiting[0].connect_ex(protocol.address(record.folder)) == errno.EAGAIN:
                break
            del waiting[0]
        return len(list(opened.iterdir())) == DESCRIPTORS

    wait_until(is_full)
    for caller in callers:
        caller.close()
    engine = Engine(record, silent)
    assert engine.cut(REQUEST, [PIXELS, MASK]).mask == MASK
    engine.close()
    status = run(record, "--status")
    assert (status.returncode, json.loads(status.stdout)["pid"]) == (0, poor_engine.pid)
    assert run(record, "--stop").returncode == 0
    assert poor_engine.wait(20) == 0


FAULTS: list[BaseException] = [
    *[
        OSError(number, os.strerror(number))
        for number in (
            errno.EMFILE,
            errno.ENFILE,
            errno.ECONNABORTED,
            errno.ENOBUFS,
            errno.ENOMEM,
            errno.EPROTO,
            errno.EPERM,
            errno.EIO,
        )
    ],
    MemoryError(),
]


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_a_fault_while_accepting_passes(
    fault: BaseException, host: Host, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever accept() says twice, the plug-in that comes then is served."""
    accept = SocketListener.accept
    faults = [fault, fault]

    def failing(self: SocketListener) -> Connection:
        wire = accept(self)
        if faults:
            wire.close()
            raise faults.pop()
        return wire

    monkeypatch.setattr(SocketListener, "accept", failing)
    # The thread that waits already is in the real accept(): this caller is the last one that it takes.
    knock(record.folder).close()
    engine = Engine(record, silent)
    assert engine.cut(REQUEST, [PIXELS, MASK]).mask == MASK
    engine.close()
    assert not faults


def test_threads_that_cannot_be_started_pass(
    host: Host, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system gives no thread for a connection, that one ends, and the next one is served."""
    start = threading.Thread.start
    faults = [RuntimeError("can't start new thread")] * 2

    def failing(self: threading.Thread) -> None:
        if faults and "_serve" in self.name:
            raise faults.pop()
        start(self)

    monkeypatch.setattr(threading.Thread, "start", failing)
    engine = Engine(record, silent)
    assert engine.cut(REQUEST, [PIXELS, MASK]).mask == MASK
    engine.close()
    assert not faults


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="open files are listed in /proc")
def test_a_broken_listener_is_made_anew(
    host: Host, record: Record, rendezvous: Path, wait_until: Wait
) -> None:
    """A listening socket that is shut ends its thread; the host notices, and listens again."""
    before = identity(rendezvous / "engine.sock")
    shut(protocol.address(rendezvous))
    wait_until(lambda: identity(rendezvous / "engine.sock") not in (None, before))
    engine = Engine(record, silent)
    assert engine.cut(REQUEST, [PIXELS, MASK]).mask == MASK
    engine.close()


def shut(address: str) -> None:
    """Shut this process's listening socket of an address, as nothing but a fault would."""
    for opened in Path("/proc/self/fd").iterdir():
        try:
            link = socket.socket(fileno=os.dup(int(opened.name)))
        except OSError:
            continue
        with link:
            if link.family != socket.AF_UNIX or link.getsockname() != address:
                continue
            if link.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                link.shutdown(socket.SHUT_RDWR)


def identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another of its name, or None where there is no file."""
    try:
        return path.stat().st_ino, path.stat().st_ctime_ns
    except OSError:
        return None


@pytest.fixture
def peer(rendezvous: Path) -> Iterator[Callable[[Peer], None]]:
    """Lets something else than an engine answer in the folder: it gets each connection as it comes."""
    key = b"0" * 64
    protocol.key_file(rendezvous).write_bytes(key)
    listener = Listener(protocol.address(rendezvous), family="AF_UNIX")
    over = threading.Event()

    def answer(behaviour: Peer) -> None:
        def serve() -> None:
            while not over.is_set():
                try:
                    with listener.accept() as wire:
                        behaviour(wire)
                        over.wait(20)
                except (OSError, EOFError):
                    return

        threading.Thread(target=serve, daemon=True).start()

    yield answer
    over.set()
    listener.close()


def greeted(wire: Connection) -> None:
    """Do as an engine does until it was greeted."""
    protocol.prove(wire, b"0" * 64, first=True)
    protocol.receive_head(wire)


def half_a_frame(wire: Connection) -> None:
    """Announce a hundred bytes and send five."""
    greeted(wire)
    os.write(wire.fileno(), struct.pack("!i", 100) + b'{"say')


def no_reading(wire: Connection) -> None:
    """Say hello, and read nothing more."""
    greeted(wire)
    protocol.send(wire, "hello", version="test")


def half_a_challenge(wire: Connection) -> None:
    """Announce a challenge and send none."""
    os.write(wire.fileno(), struct.pack("!i", 40))


def no_challenge(wire: Connection) -> None:
    """Send a frame that is no challenge."""
    wire.send_bytes(b"220 mail.example ESMTP")


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test can wait for."""
    monkeypatch.setattr(protocol, "PATIENCE", 0.3)
    monkeypatch.setattr(timeouts, "STALL", 0.3)
    monkeypatch.setattr(client, "SILENCE", 0.3)


@pytest.mark.slow
@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("behaviour", [half_a_frame, no_reading, half_a_challenge])
def test_a_peer_that_stalls_is_told(peer: Callable[[Peer], None], behaviour: Peer, record: Record) -> None:
    """Half a frame, or a peer that stops reading: a sentence after the limit."""
    peer(behaviour)
    big = replace(REQUEST, width=3000, height=1000, has_mask=False, rough=False)
    with pytest.raises(EngineError, match="does not answer"):
        Engine(record, silent).cut(big, [bytes(9_000_000)])


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("option", ["--status", "--stop"])
@pytest.mark.parametrize(
    ("behaviour", "words"),
    [(half_a_frame, "does not answer"), (half_a_challenge, "does not answer"), (no_challenge, "is not this")],
)
def test_the_command_does_not_wait_for_a_peer_that_stalls(
    peer: Callable[[Peer], None], behaviour: Peer, words: str, option: str, rendezvous: Path
) -> None:
    """--status and --stop say that what listens there does not answer, or is no engine."""
    peer(behaviour)
    result = CliRunner().invoke(engine_command.command, ["--folder", str(rendezvous), option])
    assert words in str(result.exception)


@pytest.mark.slow
@pytest.mark.usefixtures("hasty")
def test_a_full_queue_is_told(rendezvous: Path, record: Record) -> None:
    """Where nobody takes connections out of the listener's queue, connecting ends in a sentence too."""
    protocol.key_file(rendezvous).write_bytes(b"0" * 64)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(protocol.address(rendezvous))
        mute.listen(0)
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(4)]
        for caller in waiting:
            caller.setblocking(False)
            caller.connect_ex(protocol.address(rendezvous))
        with pytest.raises(EngineError, match="does not answer"):
            Engine(record, silent)
        result = CliRunner().invoke(engine_command.command, ["--folder", str(rendezvous), "--status"])
        assert "does not answer" in str(result.exception)
        for caller in waiting:
            caller.close()


def test_a_plug_in_that_stalls_in_a_message_is_dropped(
    rendezvous: Path, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host waits for ever for a message, and not in the middle of one."""
    monkeypatch.setattr(timeouts, "STALL", 0.3)
    quiet, stalled = knock(rendezvous), knock(rendezvous)
    os.write(stalled.fileno(), struct.pack("!i", 100) + b'{"say')
    assert stalled.poll(20)
    with pytest.raises((EOFError, ConnectionError)):
        protocol.receive_head(stalled)
    protocol.send(quiet, "status")
    assert protocol.receive_head(quiet)["say"] == "status"
    quiet.close()
    stalled.close()


@pytest.mark.slow
def test_an_engine_that_never_becomes_ready_is_ended(
    record: Record, tmp_path: Path, wait_until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start without a first line is told in a sentence, and leaves no process behind."""
    monkeypatch.setattr(start, "PATIENCE", 0.5)
    note = tmp_path / "pid"
    command = ["/bin/sh", "-c", f"echo $$ > {note}; exec sleep 60", "sh"]
    with pytest.raises(EngineError, match="did not become ready"):
        Engine(replace(record, command=command), silent)
    wait_until(lambda: not Path(f"/proc/{int(note.read_text())}").exists())


@pytest.mark.parametrize("message", [b"[" * 100_000, b'{"say": "cut", "settings": ' + b'{"a":' * 100_000])
def test_deep_json_is_not_understood(host: Host, rendezvous: Path, record: Record, message: bytes) -> None:
    """A message of 100,000 nested brackets is answered like other nonsense, and the next one is served."""
    with knock(rendezvous) as wire:
        wire.send_bytes(message)
        assert "did not understand" in protocol.receive_head(wire)["message"]
    engine = Engine(record, silent)
    assert engine.cut(REQUEST, [PIXELS, MASK]).mask == MASK
    engine.close()
