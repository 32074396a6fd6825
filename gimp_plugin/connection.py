"""A plug-in's connection to the host: requests in, answers out, and a watch on whether it is still there."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from mattebox.core.errors import MatteboxError
from mattebox.gimp_plugin.mattebox import protocol, shared_memory
from mattebox.gimp_plugin.mattebox.point_request import PointRequest
from mattebox.gimp_plugin.mattebox.shared_memory import SharedMemory, SharedMemoryError
from mattebox.gimp_plugin.rendezvous import package_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from multiprocessing.connection import Connection

    from mattebox.core.engine import Engine
    from mattebox.gimp_plugin.open_photo import OpenPhoto

_HEARTBEAT: Final = 1.0
_POLL: Final = 0.1
_STEPS: Final = {
    "wait": "Waiting for another cutout",
    "load": "Loading the network",
    "encode": "Looking at the whole picture",
    "segment": "Finding the subject",
    "judge": "Deciding what belongs to it",
    "refine": "Refining the edges",
    "foreground": "Cleaning the colours",
}


class Stopped(Exception):  # noqa: N818 - no error: the plug-in was cancelled
    """The plug-in is gone: nobody waits for this work any more."""


class HostServices(Protocol):
    """What a connection needs of its host."""

    last_seconds: float | None

    def status(self) -> dict[str, Any]:
        """What the host is doing."""

    def stop(self) -> None:
        """Ask the host to end."""

    def engine(self, connection: PluginConnection) -> AbstractContextManager[Engine]:
        """The engine, for one connection at a time."""

    def admit(self, connection: PluginConnection, size: int) -> None:
        """Keep a place for a photo of so many bytes. Raises MatteboxError where there is none."""

    def settle(self, connection: PluginConnection) -> None:
        """Let go of the place where no photo was opened."""


class PluginConnection:
    """Serves one connection; every answer, step and heartbeat goes out under one lock."""

    def __init__(self, wire: Connection, host: HostServices) -> None:
        """`wire` has proved its key."""
        self._wire = wire
        self._host = host
        self._sending = threading.Lock()
        self._gone = threading.Event()
        self._running_engine: Engine | None = None
        self._stopping = threading.Lock()
        self._text = ""
        self.busy = False
        self.photo: OpenPhoto | None = None

    def run(self) -> None:
        """Answer until the plug-in leaves."""
        with contextlib.suppress(EOFError, OSError):
            try:
                # A plug-in may say nothing for hours; in the middle of a message it may not.
                while self._wire.poll(None) and self._answer(protocol.receive_head(self._wire)):
                    pass
            except (protocol.ProtocolError, SharedMemoryError) as error:
                self._send("failed", message=f"The Mattebox engine did not understand the plug-in: {error}.")

    def on_step(self, step: str) -> None:
        """Tell the plug-in what happens now. Raises Stopped where the plug-in is gone."""
        self._text = _STEPS.get(step, step)
        self._send_heartbeat()
        if self._gone.is_set():
            raise Stopped

    def _answer(self, head: dict[str, Any]) -> bool:
        """Answer one message; False ends the connection."""
        theirs = head.get("mattebox")
        if theirs != protocol.VERSION:
            self._send("refused", message=_other_version(theirs))
            return False
        if head["say"] == "hello":
            can = [*protocol.CAN, *(["shared"] if shared_memory.AVAILABLE else [])]
            self._send("hello", version=package_version(), can=can)
        elif head["say"] == "status":
            self._send("status", **self._host.status())
        elif head["say"] == "stop":
            self._send("stopped")
            self._host.stop()
        elif head["say"] == "cut":
            self._work(self._cut, head)
        elif head["say"] == "open":
            self._work(self._open, head)
        elif head["say"] == "point":
            self._work(self._point, head)
        elif head["say"] == "shut":
            self.photo = None
            self._host.settle(self)
            self._send("shut")
        else:
            raise protocol.ProtocolError(f"it does not know {head['say']!r}")
        return True

    def _cut(self, head: dict[str, Any]) -> None:
        with self._received(head) as (request, blobs, shared):
            report, answer = self._computed(request, blobs)
            if shared is None:
                self._send("done", answer, report=report)
                return
            at = request.answer_start()
            for blob in answer:
                at = shared.write(at, blob)
            with self._sending:
                protocol.send_head(self._wire, "done", request.answer_lengths(), shared=True, report=report)

    def _open(self, head: dict[str, Any]) -> None:
        """Open the photo that prompts are about; one that was open goes."""
        from mattebox.gimp_plugin.open_photo import OpenPhoto  # noqa: PLC0415 - loads arrays

        self.photo = None
        opening = {name: head.pop(name, True) is not False for name in ("pointing", "fetch")}
        with self._received(head) as (request, blobs, _):
            self._host.admit(self, request.room())
            try:
                with self._watched(), self._engine_to_stop() as engine:
                    self.photo = OpenPhoto(request, blobs, engine, self.on_step, **opening)
            finally:
                self._host.settle(self)
        self._send("opened", [self.photo.picture()], size=list(self.photo.size))

    def _point(self, head: dict[str, Any]) -> None:
        """Answer what a person has said of the open photo."""
        asked = PointRequest.of(head)
        if self.photo is None:
            raise protocol.ProtocolError("no photo is open")
        with self._watched(), self._engine_to_stop():
            report, masks = self.photo.matte(asked, self.on_step)
        self._send("matte", masks, report=report, full=asked.full)

    def _work(self, work: Callable[[dict[str, Any]], None], head: dict[str, Any]) -> None:
        """Do one piece of work; what goes wrong in it is told to the person in the editor."""
        self.busy = True
        try:
            work(head)
        except MatteboxError as error:
            if self._gone.is_set():
                raise EOFError from None
            self._send("failed", message=str(error))
        except MemoryError:
            self._send("failed", message="There is not enough memory for a layer of this size.")
        except Stopped:
            raise EOFError from None
        except (OSError, EOFError, protocol.ProtocolError, SharedMemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the person in the editor hears of it
            self._send(
                "failed",
                message=f"The Mattebox engine met an error that it does not know ({type(error).__name__}).",
            )
        finally:
            self.busy = False

    @contextlib.contextmanager
    def _received(
        self, head: dict[str, Any]
    ) -> Iterator[tuple[protocol.CutRequest, Any, SharedMemory | None]]:
        """A request, its bytes, and the memory that they are in where it is shared."""
        request = protocol.CutRequest.of(head)
        if head.get("shared") is not True:
            yield request, protocol.receive_blobs(self._wire, head), None
            return
        shared = SharedMemory.receive(self._wire, request.room())
        try:
            yield request, shared.parts(0, head["blobs"]), shared
        finally:
            shared.close()

    def _computed(self, request: protocol.CutRequest, blobs: Any) -> tuple[dict[str, Any], list[memoryview]]:
        """The report and the answer's bytes, when the engine had time for it."""
        from mattebox.gimp_plugin.cut import cut_layer  # noqa: PLC0415 - loads arrays
        from mattebox.gimp_plugin.open_photo import with_request_edges  # noqa: PLC0415

        with self._watched(), self._engine_to_stop() as engine:
            start = time.monotonic()
            report, answer = cut_layer(request, blobs, engine, self.on_step)
            for number in range(len(request.mask_lengths())):
                answer[number] = with_request_edges(request, answer[number])
            self._host.last_seconds = round(time.monotonic() - start, 3)
        return {**report, "took": self._host.last_seconds}, answer

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Give a sign of life every second meanwhile, and notice when the plug-in is gone."""
        done = threading.Event()
        thread = threading.Thread(target=self._watch, args=(done,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    @contextlib.contextmanager
    def _engine_to_stop(self) -> Iterator[Engine]:
        """The engine, when it has time; the watch may end a network's run meanwhile, never the next one's."""
        self.on_step("wait")
        with self._host.engine(self) as engine:
            self._running_engine = engine
            try:
                yield engine
            finally:
                with self._stopping:
                    self._running_engine = None

    def _watch(self, done: threading.Event) -> None:
        next_heartbeat = 0.0
        while not done.wait(_POLL):
            self._check_gone()
            if time.monotonic() >= next_heartbeat:
                next_heartbeat = time.monotonic() + _HEARTBEAT
                self._send_heartbeat()
            if self._gone.is_set():
                with self._stopping:
                    if self._running_engine is not None:
                        self._running_engine.interrupt()

    def _send_heartbeat(self) -> None:
        try:
            self._check_gone()
            self._send("step", text=self._text)
        except (OSError, EOFError):
            self._gone.set()

    def _check_gone(self) -> None:
        # A plug-in says nothing while it waits: what can be read now is its end.
        with contextlib.suppress(OSError, EOFError):
            if not self._wire.poll():
                return
        self._gone.set()

    def _send(self, say: str, blobs: Any = (), **values: Any) -> None:
        with self._sending:
            protocol.send(self._wire, say, blobs, **values)


def _other_version(theirs: Any) -> str:
    if isinstance(theirs, int) and theirs > protocol.VERSION:
        return (
            "This plug-in is newer than the running Mattebox engine. Run 'mattebox engine --stop' in a "
            "terminal and try again."
        )
    return (
        "This plug-in is older than the Mattebox engine. Run 'mattebox gimp install' in a terminal and "
        "start GIMP anew."
    )
