"""The messages between the plug-in and the engine host: one description, used at both ends.

Standard library only, Python 3.9 and later. A message is one frame of multiprocessing.connection that
holds JSON, followed by as many frames of raw bytes as its key "blobs" has lengths. Nothing is pickled.
Where both ends can share memory (an engine's "hello" says so in "can"), a request with "shared" is followed
by a descriptor instead (shared_memory.py), and its answer's bytes lie in that memory behind the request's.
Both ends prove that they hold the same key before either listens to the other.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from dataclasses import asdict, dataclass, field, fields
from multiprocessing import AuthenticationError
from multiprocessing.connection import answer_challenge, deliver_challenge
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

VERSION = 1
HEADER_LIMIT = 1 << 20
SIDE_LIMIT = 524_288  # GIMP's own limit for a side, in pixels
BLOB_LIMIT = 8 << 30
# What this engine understands beyond the first engines of this version.
CAN = ("profile", "selection", "point", "product", "fetch")
PROFILE_LIMIT = 64 << 20
ALIGNMENT = 64
PATIENCE = 10.0  # seconds for each step of the proof of the key
# Edge choices: their usual values and their limits.
EDGES = {"softness": (0.0, 0.0, 100.0), "shift": (0.0, -50.0, 50.0), "sharper": (0.0, 0.0, 1.0)}
COMBINE = ("replace", "intersect", "add", "subtract")


class ProtocolError(Exception):
    """The other end said something that this protocol does not know."""


class Wire(Protocol):
    """What both ends need of a multiprocessing.connection.Connection."""

    def send_bytes(self, buf: Any, /) -> None:
        """Send one frame."""

    def recv_bytes(self, maxlength: int | None = None, /) -> bytes:
        """Receive one frame of at most `maxlength` bytes."""

    def poll(self, timeout: float | None = 0.0, /) -> bool:
        """Wait for a frame."""


class _Patient:
    """A connection whose reads end in TimeoutError instead of waiting for ever."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.send_bytes = wire.send_bytes

    def recv_bytes(self, maxlength: int | None = None) -> bytes:
        if not self._wire.poll(PATIENCE):
            raise TimeoutError
        return self._wire.recv_bytes(maxlength)


def prove(wire: Wire, key: bytes, *, first: bool) -> None:
    """Prove to each other that both ends hold `key`; the listening end goes `first`.

    Raises multiprocessing.AuthenticationError, TimeoutError, EOFError or OSError.
    """
    patient: Any = _Patient(wire)
    try:
        for listening in (first, not first):
            if listening:
                deliver_challenge(patient, key)
            else:
                answer_challenge(patient, key)
    except (AssertionError, ValueError) as error:
        # What Python 3.11 and earlier make of a peer whose first words are no challenge.
        raise AuthenticationError("no challenge came") from error
    except BlockingIOError as error:
        raise TimeoutError from error


def send(wire: Wire, say: str, blobs: Sequence[bytes | memoryview] = (), **values: Any) -> None:
    """Send one message; `values` are plain JSON data."""
    send_head(wire, say, [memoryview(blob).nbytes for blob in blobs], **values)
    for blob in blobs:
        wire.send_bytes(blob)


def send_head(wire: Wire, say: str, lengths: Sequence[int], **values: Any) -> None:
    """Send the JSON of one message alone; bytes of these lengths belong to it."""
    head = {"mattebox": VERSION, "say": say, "blobs": list(lengths), **values}
    wire.send_bytes(json.dumps(head).encode("utf-8"))


def receive_head(wire: Wire) -> dict[str, Any]:
    """The JSON of the next message; its blobs still wait. Raises ProtocolError, EOFError, OSError."""
    try:
        head = json.loads(wire.recv_bytes(HEADER_LIMIT).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ProtocolError("a message is no JSON") from error
    if not isinstance(head, dict) or not isinstance(head.get("say"), str):
        raise ProtocolError("a message does not say what it is")
    lengths = head.get("blobs", [])
    if not isinstance(lengths, list) or not all(
        type(length) is int and 0 <= length <= BLOB_LIMIT for length in lengths
    ):
        raise ProtocolError("a message has wrong sizes")
    return head


def receive_blobs(wire: Wire, head: dict[str, Any]) -> list[bytes]:
    """The raw bytes that belong to `head`. Raises ProtocolError, EOFError, OSError."""
    blobs = []
    for length in head["blobs"]:
        blob = wire.recv_bytes(length)
        if len(blob) != length:
            raise ProtocolError("a message is shorter than it said")
        blobs.append(blob)
    return blobs


@dataclass(frozen=True)
class CutRequest:
    """One layer to cut. Its blobs: pixels, then alpha, mask, selection and profile where sent.

    pixels: height x width x channels, native byte order, `bits` 8 or 16, in the colours of an ICC profile
    of so many bytes, or in sRGB (or sRGB gray) where `profile` is 0; alpha, mask, selection: height x width
    of the same depth, linear. settings: a CutSettings as JSON; rule_file and rule name a YAML rule that
    replaces them. box: left, top, right, bottom where the subject is looked for; beside a selection, which
    cuts the answer to its shape, only where the whole picture's answer is not what was meant. rough: the
    mask is the rough answer, no network runs. combine: what becomes of the mask that is sent. colours: clean
    colours are asked for too. apply_alpha: the matte is multiplied with alpha. edges: how the mask's edge is
    moved, softened or sharpened. product: the matte times alpha, not combined with any mask, is asked for
    beside the mask. The answer "done" has the mask as its first blob, then the product and the colours,
    with alpha where it was sent, as they were asked for.
    """

    width: int
    height: int
    channels: int
    bits: int
    settings: dict[str, Any]
    rule_file: str = ""
    rule: str = ""
    box: list[int] | None = None
    rough: bool = False
    combine: str = "replace"
    has_alpha: bool = False
    has_mask: bool = False
    has_selection: bool = False
    colours: bool = False
    apply_alpha: bool = False
    profile: int = 0
    edges: dict[str, Any] = field(default_factory=dict)
    product: bool = False

    def head(self) -> dict[str, Any]:
        """The request as plain data; what is usual is not said, so that older engines understand it."""
        usual = {item.name: item.default for item in fields(self)}
        usual["edges"] = {}
        return {name: value for name, value in asdict(self).items() if value != usual[name]}

    def lengths(self) -> list[int]:
        """The sizes in bytes that its blobs must have."""
        profile = [self.profile] if self.profile else []
        planes = self.has_alpha + self.has_mask + self.has_selection
        return [self._plane() * self.channels, *[self._plane()] * planes, *profile]

    def answer_lengths(self) -> list[int]:
        """The sizes in bytes that the answer's blobs must have."""
        colours = [self._plane() * (self.channels + self.has_alpha)] if self.colours else []
        return [*self.mask_lengths(), *colours]

    def mask_lengths(self) -> list[int]:
        """The sizes in bytes of the mask and, where it is asked for, the product."""
        return [self._plane()] * (1 + self.product)

    def answer_start(self) -> int:
        """Where the answer begins in shared memory."""
        return -(-sum(self.lengths()) // ALIGNMENT) * ALIGNMENT

    def room(self) -> int:
        """The size in bytes of the shared memory of request and answer."""
        return self.answer_start() + sum(self.answer_lengths())

    @classmethod
    def of(cls, head: dict[str, Any]) -> CutRequest:
        """The request that a message holds. Raises ProtocolError where it makes no sense."""
        known = {item.name for item in fields(cls)}
        values = {name: value for name, value in head.items() if name in known}
        unknown = set(head) - known - {"mattebox", "say", "blobs", "shared"}
        if unknown:
            raise ProtocolError(f"a request has unknown keys: {', '.join(sorted(unknown))}")
        try:
            request = cls(**values)
            request.check()
        except TypeError as error:
            raise ProtocolError("a request is not complete") from error
        if head["blobs"] != request.lengths():
            raise ProtocolError("the bytes of a request do not fit its size")
        return request

    def check(self) -> None:
        """Raise ProtocolError where a value makes no sense."""
        for name in ("width", "height", "channels", "bits", "profile"):
            if type(getattr(self, name)) is not int:
                raise ProtocolError(f"{name} is no whole number")
        for name in ("rough", "has_alpha", "has_mask", "has_selection", "colours", "apply_alpha", "product"):
            if type(getattr(self, name)) is not bool:
                raise ProtocolError(f"{name} is neither true nor false")
        if not (0 < self.width <= SIDE_LIMIT and 0 < self.height <= SIDE_LIMIT):
            raise ProtocolError("the layer's size is out of bounds")
        if self.channels not in (1, 3) or self.bits not in (8, 16):
            raise ProtocolError("the pixels' form is not known")
        if not 0 <= self.profile <= PROFILE_LIMIT:
            raise ProtocolError("the profile's size is out of bounds")
        self._check_work()

    def _check_work(self) -> None:
        if self.combine not in COMBINE or not isinstance(self.settings, dict):
            raise ProtocolError("the way to combine masks is not known")
        if not isinstance(self.rule, str) or not isinstance(self.rule_file, str):
            raise ProtocolError("the rule is not named by text")
        if (self.rough or self.combine != "replace") and not self.has_mask:
            raise ProtocolError("a mask is asked for that was not sent")
        if not has_sound_edges(self.edges):
            raise ProtocolError("the edge choices are not known")
        if self.box is not None and not self._has_sound_box(self.box):
            raise ProtocolError("the box lies outside of the layer")

    def _plane(self) -> int:
        return self.width * self.height * (self.bits // 8)

    def _has_sound_box(self, box: list[int]) -> bool:
        if not isinstance(box, list) or len(box) != 4 or any(type(edge) is not int for edge in box):
            return False
        left, top, right, bottom = box
        return 0 <= left < right <= self.width and 0 <= top < bottom <= self.height


def has_sound_edges(edges: Any) -> bool:
    """Whether edge choices are numbers of EDGES within their limits, and "keep_hair" true or false."""
    if not isinstance(edges, dict) or set(edges) - {*EDGES, "keep_hair"}:
        return False
    if type(edges.get("keep_hair", False)) is not bool:
        return False
    numbers = [(edges.get(name, 0.0), low, high) for name, (_, low, high) in EDGES.items()]
    return all(type(value) in (int, float) and low <= value <= high for value, low, high in numbers)


def address(folder: Path) -> str:
    """Where the host of this folder listens: a socket in it, or a named pipe on Windows."""
    if sys.platform == "win32":
        digest = hashlib.sha256(os.fspath(folder).lower().encode("utf-8")).hexdigest()
        return rf"\\.\pipe\mattebox-{digest[:24]}"
    return os.fspath(folder / "engine.sock")


def family() -> str:
    """The kind of address that this platform has."""
    return "AF_PIPE" if sys.platform == "win32" else "AF_UNIX"


def key_file(folder: Path) -> Path:
    """The file of the key that both ends must hold."""
    return folder / "engine.key"


def is_private(folder: Path) -> bool:
    """Whether the folder is ours and closed to everybody else (always true on Windows: the profile is)."""
    if sys.platform == "win32":
        return folder.is_dir()
    status = folder.lstat()
    ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    return ours and not stat.S_IMODE(status.st_mode) & 0o077
