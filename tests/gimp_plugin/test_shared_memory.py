"""Shared memory between plug-in and engine: the same answers as over the socket, and nothing foreign."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Client, Connection
from pathlib import Path

import numpy as np
import pytest

from mattebox.gimp_plugin.host import Host
from mattebox.gimp_plugin.mattebox import protocol, shared_memory
from mattebox.gimp_plugin.mattebox.client import Engine, EngineError, Record
from mattebox.gimp_plugin.mattebox.protocol import CutRequest
from mattebox.gimp_plugin.mattebox.shared_memory import SharedMemory

pytestmark = pytest.mark.skipif(not shared_memory.AVAILABLE, reason="this system has no memory to share")

REQUEST = CutRequest(31, 20, 3, 16, {}, rough=True, has_alpha=True, has_mask=True, colours=True)
NOISE = np.random.default_rng(3)
PLANES = [NOISE.integers(0, 65_536, (20, 31, count), np.uint16).tobytes() for count in (3, 1, 1)]


def silent(_: str) -> None:
    """Hear nothing."""


def in_bands(blobs: list[bytes]) -> list[list[bytes]]:
    """Each blob in pieces, the last one shorter."""
    return [[blob[at : at + 1000] for at in range(0, len(blob), 1000)] for blob in blobs]


def test_shared_memory_and_socket_give_the_same_answer(
    host: Host, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pixels, alpha, mask in 16 bits there, mask and colours back: byte for byte alike both ways."""
    engine = Engine(record, silent)
    payload = engine.pack(REQUEST, in_bands(PLANES))
    assert isinstance(payload, SharedMemory)
    shared = engine.cut(REQUEST, payload)
    engine.close()
    monkeypatch.setattr(shared_memory, "AVAILABLE", False)
    engine = Engine(record, silent)
    payload = engine.pack(REQUEST, in_bands(PLANES))
    assert payload == PLANES
    sent = engine.cut(REQUEST, payload)
    engine.close()
    assert (shared.mask, shared.colours) == (sent.mask, sent.colours)
    assert len(set(shared.mask)) > 2


def test_memory_that_is_not_to_be_had_is_no_failure(
    host: Host, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system refuses memory to share, the bytes go over the socket."""

    def refuse(*_: object) -> int:
        raise OSError(24, "Too many open files")

    engine = Engine(record, silent)
    monkeypatch.setattr(os, "memfd_create", refuse)
    payload = engine.pack(REQUEST, in_bands(PLANES))
    assert payload == PLANES
    assert len(engine.cut(REQUEST, payload).mask) == 31 * 20 * 2
    engine.close()


def test_neither_end_keeps_what_was_shared(
    host: Host, record: Record, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """After many cuts no descriptor of shared memory is open and none of it is mapped."""

    def held() -> list[str]:
        links = [os.path.realpath(path) for path in Path("/proc/self/fd").iterdir()]
        return [name for name in (*links, Path("/proc/self/maps").read_text()) if "memfd:mattebox" in name]

    engine = Engine(record, silent)
    for _ in range(5):
        payload = engine.pack(REQUEST, in_bands(PLANES))
        assert held()
        engine.cut(REQUEST, payload)
    wait_until(lambda: not held())
    engine.close()


def plain_file() -> int:
    """A file of the right size, which could be cut off under its reader."""
    with tempfile.TemporaryFile() as file:
        file.truncate(REQUEST.room())
        return os.dup(file.fileno())


def unsealed() -> int:
    """Memory of the right size that could shrink."""
    descriptor = os.memfd_create("x", os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, REQUEST.room())
    return descriptor


def too_small() -> int:
    """Sealed memory that is smaller than what was announced."""
    made = SharedMemory.create(REQUEST.room() - 1)
    return made._descriptor


@pytest.mark.parametrize("make", [plain_file, unsealed, too_small, None])
def test_foreign_descriptors_are_refused(
    host: Host, record: Record, rendezvous: Path, make: Callable[[], int] | None
) -> None:
    """What could crash its reader ends one connection with a sentence; the next plug-in is served as ever."""
    wire = Client(protocol.address(rendezvous))
    protocol.prove(wire, protocol.key_file(rendezvous).read_bytes(), first=False)
    protocol.send_head(wire, "cut", REQUEST.lengths(), shared=True, **REQUEST.head())
    hand_over(wire, make() if make else None)
    head = protocol.receive_head(wire)
    assert head["say"] == "failed"
    assert "memory" in head["message"]
    wire.close()
    engine = Engine(record, silent)
    assert engine.cut(REQUEST, engine.pack(REQUEST, in_bands(PLANES))).mask
    engine.close()


def hand_over(wire: Connection, descriptor: int | None) -> None:
    """Send one byte, with a descriptor or without."""
    with socket.socket(fileno=os.dup(wire.fileno())) as link:
        if descriptor is None:
            link.sendall(b"m")
            return
        socket.send_fds(link, [b"m"], [descriptor])
    os.close(descriptor)


def test_an_engine_of_the_first_hour_is_served_or_refused(
    host: Host, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that promises nothing gets bytes over the socket and no new keys; a profile is refused politely."""
    monkeypatch.setattr(protocol, "CAN", ())
    monkeypatch.setattr("mattebox.gimp_plugin.connection.shared_memory.AVAILABLE", False)
    engine = Engine(record, silent)
    monkeypatch.setattr(shared_memory, "AVAILABLE", True)
    assert engine.pack(REQUEST, in_bands(PLANES)) == PLANES
    assert "profile" not in REQUEST.head()
    with pytest.raises(EngineError, match="mattebox engine --stop"):
        engine.pack(replace(REQUEST, profile=3), [])
    engine.close()
