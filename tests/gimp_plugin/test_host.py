"""The engine host: warm, private, patient with plug-ins that vanish, and gone when nobody needs it."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Client
from pathlib import Path

import numpy as np
import pytest
from tests.core.network.endless import write_endless

from mattebox.core.engine import Engine as CoreEngine
from mattebox.core.network.segmenter import Segmenter
from mattebox.core.settings import CutSettings
from mattebox.gimp_plugin.host import Host
from mattebox.gimp_plugin.mattebox import protocol, start
from mattebox.gimp_plugin.mattebox.client import Engine, EngineError, Record
from mattebox.gimp_plugin.mattebox.protocol import CutRequest
from mattebox.gimp_plugin.rendezvous import AlreadyRunningError, HostError
from mattebox.models.catalogue import find_network
from mattebox.models.store import Store

Wait = Callable[[Callable[[], bool]], None]
Start = Callable[[Host], threading.Thread]
REQUEST = CutRequest(30, 20, 3, 8, {}, rough=True, has_mask=True)
PIXELS = np.full((20, 30, 3), 77, np.uint8).tobytes()
MASK = np.full((20, 30), 255, np.uint8).tobytes()


def silent(_: str) -> None:
    """Hear nothing."""


def knock(rendezvous: Path) -> Client:
    """A connection that has proved its key."""
    wire = Client(protocol.address(rendezvous))
    protocol.prove(wire, protocol.key_file(rendezvous).read_bytes(), first=False)
    return wire


def pid_of(engine: Engine) -> int:
    """The process that serves an engine's connection."""
    protocol.send(engine._wire, "status")
    return int(engine._next()["pid"])


def test_a_layer_is_cut_over_the_socket(host: Host, record: Record) -> None:
    """A request with a rough answer comes back as a mask of its size."""
    engine = Engine(record, silent)
    assert engine.cut(REQUEST, [PIXELS, MASK]).mask == MASK
    assert engine.cut(REQUEST, [PIXELS, MASK]).report["model"] == ""
    engine.close()


def test_socket_key_and_folder_are_closed_to_others(host: Host, rendezvous: Path) -> None:
    """Folder 0700, socket and key 0600."""
    modes = [rendezvous, rendezvous / "engine.sock", rendezvous / "engine.key"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in modes] == [0o700, 0o600, 0o600]


def test_a_wrong_key_is_told_in_a_sentence(host: Host, record: Record, rendezvous: Path) -> None:
    """A plug-in that holds another key gets no answer but a sentence."""
    (rendezvous / "engine.key").write_bytes(b"0" * 64)
    with pytest.raises(EngineError, match="another key"):
        Engine(record, silent)


def test_missing_weights_are_told_in_the_engines_words(
    host: Host, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the engine cannot do reaches the plug-in as its sentence, and the connection stays."""
    monkeypatch.setenv("MATTEBOX_OFFLINE", "1")
    engine = Engine(record, silent)
    with pytest.raises(EngineError, match="u2net"):
        engine.cut(replace(REQUEST, rough=False, has_mask=False), [PIXELS])
    assert engine.cut(REQUEST, [PIXELS, MASK]).mask == MASK
    engine.close()


@pytest.mark.parametrize(("theirs", "word"), [("0", "older"), ("2", "newer"), ("null", "older")])
def test_another_protocol_is_refused_politely(host: Host, rendezvous: Path, theirs: str, word: str) -> None:
    """A plug-in of another version hears which end is older and what to do."""
    with knock(rendezvous) as wire:
        wire.send_bytes(f'{{"say": "hello", "mattebox": {theirs}}}'.encode())
        head = protocol.receive_head(wire)
    assert head["say"] == "refused"
    assert word in head["message"]


def test_nonsense_ends_one_connection_and_not_the_host(host: Host, record: Record, rendezvous: Path) -> None:
    """Bytes without a key, a pickle after the key: the next plug-in is served as ever."""
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(rendezvous / "engine.sock"))
        raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
    with knock(rendezvous) as wire:
        wire.send({"a": 1})
        assert protocol.receive_head(wire)["say"] == "failed"
    engine = Engine(record, silent)
    assert engine.cut(REQUEST, [PIXELS, MASK]).mask == MASK
    engine.close()


def test_a_vanished_plug_in_stops_the_work(
    rendezvous: Path, tmp_path: Path, record: Record, wait_until: Wait, started: Start
) -> None:
    """Between two steps the host notices that nobody waits any more, and does not go on."""
    reached, proceed = threading.Event(), threading.Event()
    steps: list[str] = []

    class Slow(CoreEngine):
        def cut(self, photo, settings, *, rough=None, on_step=silent):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - the engine's own signature
            on_step("load")
            reached.set()
            assert proceed.wait(20)
            steps.append("before")
            on_step("segment")
            steps.append("after")

    host = Host(rendezvous, lambda _: Slow(Store(tmp_path)), idle=0)
    thread = started(host)
    wire = knock(rendezvous)
    protocol.send(wire, "cut", [PIXELS, MASK], **REQUEST.head())
    assert reached.wait(20)
    wire.close()
    proceed.set()
    wait_until(lambda: not host.is_busy())
    assert steps == ["before"]
    host.stop()
    thread.join(10)


def test_a_vanished_plug_in_ends_the_networks_run(
    rendezvous: Path, tmp_path: Path, wait_until: Wait, started: Start
) -> None:
    """A run that would never end by itself ends with its plug-in, and the next plug-in is served."""
    network = find_network("u2netp")
    settings = CutSettings(model="u2netp")
    core = CoreEngine(Store(tmp_path))
    endless = Segmenter(network, write_endless(tmp_path / "endless.onnx", network.input_size), threads=1)
    core._networks._segmenters[network.name, settings.precision] = endless
    host = Host(rendezvous, lambda _: core, idle=0)
    thread = started(host)
    wire = knock(rendezvous)
    protocol.send(wire, "cut", [PIXELS], **CutRequest(30, 20, 3, 8, {"model": "u2netp"}).head())
    while protocol.receive_head(wire)["text"] != "Finding the subject":
        pass
    wire.close()
    wait_until(lambda: not host.is_busy())
    wire = knock(rendezvous)
    protocol.send(wire, "cut", [PIXELS, MASK], **REQUEST.head())
    while (head := protocol.receive_head(wire))["say"] == "step":
        pass
    assert protocol.receive_blobs(wire, head) == [MASK]
    wire.close()
    host.stop()
    thread.join(10)


def test_an_idle_host_ends_by_itself(rendezvous: Path, tmp_path: Path, started: Start) -> None:
    """After its idle time the host is gone, with its socket and its key."""
    host = Host(rendezvous, lambda _: CoreEngine(Store(tmp_path)), idle=0.3)
    started(host).join(20)
    assert {path.name for path in rendezvous.iterdir()} <= {"engine.lock"}


def test_there_is_one_host_a_folder(host: Host, rendezvous: Path, tmp_path: Path) -> None:
    """A second host says so and leaves the first one's socket alone."""
    with pytest.raises(AlreadyRunningError):
        Host(rendezvous, lambda _: CoreEngine(Store(tmp_path)), idle=0).run()
    knock(rendezvous).close()


def test_a_place_that_is_taken_is_told(rendezvous: Path, record: Record) -> None:
    """Something else where the socket would be: a sentence with its path, from the host that tried."""
    (rendezvous / "engine.sock").mkdir()
    with pytest.raises(EngineError, match=r"engine\.sock"):
        Engine(record, silent)
    assert (rendezvous / "engine.sock").is_dir()


def test_a_folder_that_others_can_enter_is_refused(rendezvous: Path, record: Record, tmp_path: Path) -> None:
    """Neither end trusts a folder with mode 0755."""
    rendezvous.chmod(0o755)
    with pytest.raises(HostError, match="chmod 700"):
        Host(rendezvous, lambda _: CoreEngine(Store(tmp_path)), idle=0).run()
    with pytest.raises(EngineError, match="chmod 700"):
        Engine(record, silent)


def test_somebody_elses_socket_is_no_hang(
    rendezvous: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listener that never speaks ends in a sentence after the plug-in's patience."""
    monkeypatch.setattr(protocol, "PATIENCE", 0.2)
    (rendezvous / "engine.key").write_bytes(b"0" * 64)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(rendezvous / "engine.sock"))
        mute.listen()
        with pytest.raises(EngineError, match="does not answer"):
            Engine(record, silent)


@pytest.mark.slow
def test_a_killed_host_is_started_again(record: Record, rendezvous: Path, wait_until: Wait) -> None:
    """A killed host leaves its socket behind; the next cut starts a new one all the same."""
    engine = Engine(record, silent)
    assert engine.cut(REQUEST, [PIXELS, MASK]).mask == MASK
    os.kill(pid_of(engine), signal.SIGKILL)
    with pytest.raises(EngineError, match="ended in the middle"):
        engine.cut(REQUEST, [PIXELS, MASK])
    engine.close()
    assert (rendezvous / "engine.sock").exists()
    engine = Engine(record, silent)
    assert engine.cut(REQUEST, [PIXELS, MASK]).mask == MASK
    protocol.send(engine._wire, "stop")
    assert engine._next()["say"] == "stopped"
    engine.close()
    wait_until(lambda: not (rendezvous / "engine.sock").exists())


@pytest.mark.slow
def test_two_plug_ins_at_once_start_one_host(record: Record, rendezvous: Path, wait_until: Wait) -> None:
    """Both cuts succeed, and both were done by the same process."""
    pids: list[int] = []

    def cut() -> None:
        engine = Engine(record, silent)
        assert engine.cut(REQUEST, [PIXELS, MASK]).mask == MASK
        pids.append(pid_of(engine))
        engine.close()

    threads = [threading.Thread(target=cut) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(pids) == 2
    assert len(set(pids)) == 1
    os.kill(pids[0], signal.SIGTERM)
    wait_until(lambda: not (rendezvous / "engine.sock").exists())


def test_a_mattebox_that_is_gone_is_told(record: Record) -> None:
    """A record whose program does not exist ends in the sentence that says what to do."""
    with pytest.raises(EngineError, match="mattebox gimp install"):
        Engine(replace(record, command=["/nowhere/mattebox"]), silent)


def test_a_program_that_is_no_engine_is_told(record: Record) -> None:
    """A command that ends without the first line ends in a sentence too."""
    with pytest.raises(EngineError, match="before it was ready"):
        Engine(replace(record, command=["/bin/true"]), silent)


def test_the_last_words_of_an_engine_are_told_and_kept(record: Record, rendezvous: Path) -> None:
    """A Python without mattebox: its own last line is in the sentence, all of them in the folder's log."""
    bare = [sys.executable, "-I", "-S", "-m", "mattebox.cli.main", "engine"]
    with pytest.raises(EngineError, match=r"it said: .*No module named"):
        Engine(replace(record, command=bare), silent)
    assert "No module named" in start.last_words(rendezvous)[-1]
    assert start.log_file(rendezvous).stat().st_mode & 0o777 == 0o600


def test_an_engine_that_runs_goes_on_writing_its_log(record: Record, rendezvous: Path) -> None:
    """What it says after it is ready is kept too; the next start begins anew."""
    shell = ["/bin/sh", "-c", 'echo old >&2; exec "$@"', "sh", *record.command]
    engine = Engine(replace(record, command=shell), silent)
    protocol.send(engine._wire, "status")
    pid = int(engine._next()["pid"])
    assert start.last_words(rendezvous) == ["old"]
    assert Path(f"/proc/{pid}/fd/2").resolve() == start.log_file(rendezvous).resolve()
    protocol.send(engine._wire, "stop")
    engine._next()
    engine.close()


def test_last_words_are_few_short_and_printable(rendezvous: Path) -> None:
    """Megabytes, control characters and bytes that are no text are no harm; nothing said is nothing."""
    assert start.last_words(rendezvous) == []
    noise = b"\xff\x1b[31mred\x1b[0m\n" * 100_000 + b"x" * 5000 + b"\n\n"
    start.log_file(rendezvous).write_bytes(noise)
    words = start.last_words(rendezvous)
    assert len(words) == 5
    assert all(len(line) <= 300 and line.isprintable() for line in words)


def test_a_disk_that_takes_nothing_is_told(record: Record) -> None:
    """Where the key cannot be written, the sentence says where; a file of any size is refused to the host."""
    shell = ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *record.command]
    with pytest.raises(EngineError, match=r"engine\.key"):
        Engine(replace(record, command=shell), silent)


def test_gimps_own_python_does_not_leak(
    record: Record, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """PYTHONHOME and its like are GIMP's; the engine is started without them."""
    monkeypatch.setenv("PYTHONHOME", "/gimp")
    monkeypatch.setenv("GI_TYPELIB_PATH", "/gimp")
    told = tmp_path / "environment"
    script = f'env > {told}; echo "{{\\"error\\": \\"x\\"}}"'
    with pytest.raises(EngineError, match="x"):
        Engine(replace(record, command=["/bin/sh", "-c", script]), silent)
    names = {line.partition("=")[0] for line in told.read_text(encoding="utf-8").splitlines()}
    assert "MATTEBOX_MODELS" in names
    assert not names & {"PYTHONHOME", "GI_TYPELIB_PATH"}


def test_a_record_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Half an installation says so."""
    whole = {"command": ["x"], "folder": "/x", "version": "1", "environment": {}, "networks": [["a", "b"]]}
    (tmp_path / "record.json").write_text(json.dumps(whole), encoding="utf-8")
    assert Record.read(tmp_path / "record.json").networks == [["a", "b"]]
    empty = [json.dumps({**whole, name: []}) for name in ("command", "networks")]
    for text in ("", "[]", '{"command": 3}', *empty):
        (tmp_path / "record.json").write_text(text, encoding="utf-8")
        with pytest.raises(EngineError, match="mattebox gimp install"):
            Record.read(tmp_path / "record.json")
