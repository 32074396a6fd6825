"""One thread that asks the engine, so that a window stays alive; of prompts that wait only the last counts.

Standard library and GLib alone, Python 3.9 and later.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any

from gi.repository import GLib

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattebox.gimp_plugin.mattebox.client import Engine, Payload, Record
    from mattebox.gimp_plugin.mattebox.errors import EngineError
    from mattebox.gimp_plugin.mattebox.point_request import PointRequest
    from mattebox.gimp_plugin.mattebox.pointing import OpenLayer
    from mattebox.gimp_plugin.mattebox.protocol import CutRequest
    from mattebox.gimp_plugin.mattebox.words import _

    Read = Callable[[Engine], tuple[CutRequest, Payload]]
else:
    from client import Engine
    from errors import EngineError
    from pointing import OpenLayer
    from words import _


class Asking:
    """Opens a layer and answers prompts; `hear` is called in the window's thread with (what, value).

    What: "step" with a text, "opened" with an OpenLayer, "matte" with (request, Answer), "failed" with
    a sentence.
    """

    def __init__(self, record: Record, read: Read, hear: Callable[[str, Any], None], **opening: bool) -> None:
        """`read` packs the layer for an engine, and is called in the window's thread, as GIMP wants it.

        opening: OpenLayer's "pointing" and "fetch".
        """
        self._opening = opening
        self._record, self._read, self._hear = record, read, hear
        self._wanted: PointRequest | None = None
        self._more = threading.Condition()
        self._engine: Engine | None = None
        self._ended = False
        threading.Thread(target=self._run, daemon=True).start()

    def ask(self, request: PointRequest) -> None:
        """Ask for a matte; a request that still waits is forgotten."""
        with self._more:
            self._wanted = request
            self._more.notify()

    def end(self) -> None:
        """Let the engine forget the layer; nothing is heard any more."""
        with self._more:
            self._ended = True
            self._more.notify()
        if self._engine is not None:
            self._engine.close()

    def _tell(self, what: str, value: Any) -> None:
        def tell() -> bool:
            if not self._ended:
                self._hear(what, value)
            return False

        GLib.idle_add(tell)

    def _run(self) -> None:
        try:
            self._engine = engine = Engine(self._record, lambda text: self._tell("step", text))
            request, payload = self._packed(engine)
            layer = OpenLayer(engine, request, payload, **self._opening)
            self._tell("opened", layer)
            while True:
                with self._more:
                    self._more.wait_for(lambda: self._ended or self._wanted is not None)
                    asked, self._wanted = self._wanted, None
                if self._ended or asked is None:
                    break
                self._tell("matte", (asked, layer.matte(asked)))
        except EngineError as error:
            self._tell("failed", str(error))
        except Exception:  # noqa: BLE001 - whatever it is, the window must not wait for ever
            self._tell(
                "failed", _("The layer could not be sent to the Mattebox engine; nothing was changed.")
            )

    def _packed(self, engine: Engine) -> tuple[CutRequest, Payload]:
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

        def pack() -> bool:
            try:
                answers.put(self._read(engine))
            except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits
                answers.put(error)
            return False

        GLib.idle_add(pack)
        answer = answers.get()
        if isinstance(answer, BaseException):
            raise answer
        packed: tuple[CutRequest, Payload] = answer
        return packed
