"""The plug-in's end of the connection to the engine host. Standard library only, Python 3.9 and later.

Everything that fails here ends in an EngineError: one sentence that GIMP shows in its own error box.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass, field
from itertools import chain
from multiprocessing import AuthenticationError
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection

    from mattebox.gimp_plugin.mattebox import messages, protocol, shared_memory, start, timeouts
    from mattebox.gimp_plugin.mattebox.errors import EngineError
    from mattebox.gimp_plugin.mattebox.shared_memory import SharedMemory
    from mattebox.gimp_plugin.mattebox.words import _

    Payload = list[bytes] | SharedMemory
else:
    try:
        import messages
        import protocol
        import shared_memory
        import start
        import timeouts
        from errors import EngineError
        from words import _
    except ImportError:  # imported as a part of mattebox, not run by GIMP
        from mattebox.gimp_plugin.mattebox import messages, protocol, shared_memory, start, timeouts
        from mattebox.gimp_plugin.mattebox.errors import EngineError
        from mattebox.gimp_plugin.mattebox.words import _
    SharedMemory = shared_memory.SharedMemory

SILENCE = 30.0  # seconds without a sign of life; the host gives one every second


@dataclass(frozen=True)
class Record:
    """What `mattebox gimp install` wrote beside the plug-in: which mattebox it belongs to."""

    command: list[str]
    folder: Path
    version: str
    environment: dict[str, str]
    networks: list[list[str]]
    # Of each network its file, size, licence and "commercial", and the folder where files lie.
    catalogue: dict[str, Any] = field(default_factory=dict)
    models: str = ""

    @classmethod
    def read(cls, path: Path) -> Record:
        """The record in a file. Raises EngineError."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            record = cls(
                command=[str(part) for part in values["command"]],
                folder=Path(values["folder"]),
                version=str(values["version"]),
                environment={str(name): str(value) for name, value in values["environment"].items()},
                networks=[[str(name), str(label)] for name, label in values["networks"]],
                catalogue={str(name): dict(row) for name, row in values.get("catalogue", {}).items()},
                models=str(values.get("models", "")),
            )
        except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
            raise EngineError(_INCOMPLETE) from error
        if not record.command or not record.networks:
            raise EngineError(_INCOMPLETE)
        return record


@dataclass(frozen=True)
class Answer:
    """What the engine made of one layer: the mask's bytes, colours where asked for, and its report.

    product: the matte times the layer's alpha, for channels and selections; the mask where it is the same.
    """

    mask: bytes
    colours: bytes | None
    report: dict[str, Any]
    product: bytes


class Engine:
    """A connection to the engine host, which is started where none runs."""

    def __init__(self, record: Record, on_progress: Callable[[str], None]) -> None:
        """`on_progress` gets what is going on, in words for a progress bar."""
        self._on_progress = on_progress
        try:
            self._wire = _connect(record, on_progress)
        except (OSError, EOFError) as error:
            raise EngineError(_LOST) from error
        try:
            self._greet(record)
        except BaseException:
            self._wire.close()
            raise

    def _greet(self, record: Record) -> None:
        with _sentences():
            protocol.send(self._wire, "hello", version=record.version)
            head = self._next()
        if head["say"] != "hello":
            raise EngineError(messages.of_engine(str(head.get("message", _LOST))))
        self.version = str(head.get("version", ""))
        can = head.get("can", [])
        self._can = frozenset(str(word) for word in can) if isinstance(can, list) else frozenset()

    def pack(self, request: protocol.CutRequest, blobs: Iterable[Iterable[bytes]]) -> Payload:
        """The request's bytes, given in bands, as they travel: in shared memory where both ends can.

        Raises EngineError, MemoryError.
        """
        needed = {
            "profile": bool(request.profile),
            "selection": request.has_selection,
            "product": request.product,
        }
        if any(wanted and word not in self._can for word, wanted in needed.items()):
            raise EngineError(_OLD)
        if "shared" in self._can and shared_memory.AVAILABLE:
            with contextlib.suppress(OSError):
                shared = SharedMemory.create(request.room())
                try:
                    at = 0
                    for band in chain.from_iterable(blobs):
                        at = shared.write(at, band)
                except BaseException:
                    shared.close()
                    raise
                return shared
        return [b"".join(blob) for blob in blobs]

    def cut(self, request: protocol.CutRequest, payload: Payload) -> Answer:
        """Cut one layer. Raises EngineError."""
        try:
            with _sentences():
                if isinstance(payload, SharedMemory):
                    protocol.send_head(self._wire, "cut", request.lengths(), shared=True, **request.head())
                    payload.send(self._wire)
                else:
                    protocol.send(self._wire, "cut", payload, **request.head())
                self._on_progress(_("Finding the subject"))
                head = self._next()
                while head["say"] == "step":
                    self._on_progress(messages.of_engine(str(head.get("text", ""))))
                    head = self._next()
                if head["say"] != "done":
                    raise EngineError(messages.of_engine(str(head.get("message", _LOST))))
                if head["blobs"] != request.answer_lengths():
                    raise EngineError(_LOST)
                if isinstance(payload, SharedMemory):
                    # Copies: the memory holds the layer too, and goes when the next layer's comes.
                    answer = [bytes(part) for part in payload.parts(request.answer_start(), head["blobs"])]
                else:
                    answer = protocol.receive_blobs(self._wire, head)
        finally:
            if isinstance(payload, SharedMemory):
                payload.close()
        return Answer(
            mask=answer[0],
            colours=answer[-1] if request.colours else None,
            report=dict(head.get("report", {})),
            product=answer[1] if request.product else answer[0],
        )

    def ask(
        self, say: str, wanted: str, payload: Payload, lengths: list[int], values: dict[str, Any]
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Send one message and return the answer's head and bytes; steps are told. Raises EngineError."""
        if "point" not in self._can or ("fetch" in values and "fetch" not in self._can):
            raise EngineError(_OLDER)
        try:
            with _sentences():
                if isinstance(payload, SharedMemory):
                    protocol.send_head(self._wire, say, lengths, shared=True, **values)
                    payload.send(self._wire)
                else:
                    protocol.send(self._wire, say, payload, **values)
                head = self._next()
                while head["say"] == "step":
                    self._on_progress(messages.of_engine(str(head.get("text", ""))))
                    head = self._next()
                if head["say"] != wanted:
                    raise EngineError(messages.of_engine(str(head.get("message", _LOST))))
                return head, protocol.receive_blobs(self._wire, head)
        finally:
            if isinstance(payload, SharedMemory):
                payload.close()

    @staticmethod
    def lost() -> EngineError:
        """What is raised where an answer does not fit its question."""
        return EngineError(_LOST)

    def close(self) -> None:
        """End the connection; the host stays."""
        self._wire.close()

    def _next(self) -> dict[str, Any]:
        if not self._wire.poll(SILENCE):
            raise EngineError(SILENT)
        return protocol.receive_head(self._wire)


_INCOMPLETE = _("Mattebox's plug-in is not installed completely; run 'mattebox gimp install' again.")
_LOST = _(
    "The Mattebox engine ended in the middle of the work; nothing was changed. Try again, and run "
    "'mattebox gimp doctor' in a terminal if it happens twice."
)
SILENT = _(
    "The Mattebox engine does not answer; nothing was changed. Run 'mattebox engine --stop' in a terminal "
    "and try again."
)
_OLD = _(
    "An older Mattebox engine still runs, which cannot do all that this plug-in asks for; nothing was "
    "changed. Run 'mattebox engine --stop' in a terminal and try again."
)
_OLDER = _(
    "An older Mattebox engine still runs, which cannot be pointed at pictures; nothing was changed. Run "
    "'mattebox engine --stop' in a terminal and try again."
)
_WRONG_KEY = _(
    "The Mattebox engine holds another key than this plug-in; nothing was changed. Run 'mattebox engine "
    "--stop' in a terminal and try again."
)


@contextlib.contextmanager
def _sentences() -> Iterator[None]:
    """What a connection raises, as the sentence for the user."""
    try:
        yield
    except BlockingIOError as error:
        raise EngineError(SILENT) from error
    except (OSError, EOFError, protocol.ProtocolError) as error:
        raise EngineError(_LOST) from error


def _connect(record: Record, on_progress: Callable[[str], None]) -> Connection:
    started = False
    until = time.monotonic() + start.PATIENCE
    refused = 0
    while True:
        try:
            return _attempt(record.folder)
        except AuthenticationError as error:
            # A host that starts writes a new key: the one that was read may be the last host's.
            refused += 1
            if refused > 3:
                raise EngineError(_WRONG_KEY) from error
        except TimeoutError as error:
            raise EngineError(SILENT) from error
        except (OSError, EOFError) as error:
            if started and time.monotonic() > until:
                raise EngineError(SILENT) from error
            if not started:
                on_progress(_("Starting the engine"))
                start.start(record.command, record.folder, record.environment)
                started = True
        time.sleep(0.1)


def _attempt(folder: Path) -> Connection:
    if not protocol.is_private(folder):
        raise EngineError(
            _(
                "{folder} can be entered by other users of this computer, so nothing was sent to the engine; "
                "run 'chmod 700' on it, or remove it, and try again."
            ).format(folder=folder)
        )
    return timeouts.connect(folder)
