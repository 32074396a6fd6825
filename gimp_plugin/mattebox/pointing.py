"""A layer that is open for pointing: sent to the engine once, then asked what prompts amount to.

Standard library only, Python 3.9 and later. Everything that fails ends in an EngineError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mattebox.gimp_plugin.mattebox.client import Engine, Payload
    from mattebox.gimp_plugin.mattebox.point_request import PointRequest
    from mattebox.gimp_plugin.mattebox.protocol import CutRequest


class OpenLayer:
    """One layer at the engine, and its preview: `size` (width, height) and `picture`, RGB bytes."""

    def __init__(
        self, engine: Engine, request: CutRequest, payload: Payload, *, pointing: bool = True
    ) -> None:
        """Send the layer and wait until the networks have looked at it. Raises EngineError."""
        self._engine = engine
        self._full_length = request.answer_lengths()[0]
        values = request.head() if pointing else {**request.head(), "pointing": False}
        head, blobs = engine.ask("open", "opened", payload, request.lengths(), values)
        self.size: tuple[int, int] = (int(head["size"][0]), int(head["size"][1]))
        self.picture: bytes = blobs[0]
        if len(self.picture) != 3 * self.size[0] * self.size[1]:
            raise engine.lost()

    def matte(self, asked: PointRequest) -> tuple[dict[str, Any], bytes]:
        """The engine's report, and the mask of the preview's size or, in full, of the layer's."""
        head, blobs = self._engine.ask("point", "matte", [], [], asked.head())
        length = self._full_length if asked.full else self.size[0] * self.size[1]
        if [len(blob) for blob in blobs] != [length]:
            raise self._engine.lost()
        return dict(head.get("report", {})), blobs[0]

    def close(self) -> None:
        """Let the engine forget the layer; a thread that still waits for it hears that it is gone."""
        self._engine.close()
