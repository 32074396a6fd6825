"""A layer that is open for pointing: sent to the engine once, then asked what prompts amount to.

Standard library only, Python 3.9 and later. Everything that fails ends in an EngineError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mattebox.gimp_plugin.mattebox.client import Answer, Engine, Payload
    from mattebox.gimp_plugin.mattebox.point_request import PointRequest
    from mattebox.gimp_plugin.mattebox.protocol import CutRequest
else:
    try:
        from client import Answer
    except ImportError:  # imported as a part of mattebox, not run by GIMP
        from mattebox.gimp_plugin.mattebox.client import Answer


class OpenLayer:
    """One layer at the engine, and its preview: `size` (width, height) and `picture`, RGB bytes."""

    def __init__(
        self,
        engine: Engine,
        request: CutRequest,
        payload: Payload,
        *,
        pointing: bool = True,
        fetch: bool = True,
    ) -> None:
        """Send the layer and wait until the networks have looked at it. Raises EngineError.

        pointing: whether clicks will be asked about. fetch: whether the network that answers them may be
        fetched where it is missing; others answer them without it.
        """
        self._engine = engine
        self._full_lengths = request.mask_lengths()
        usual = {"pointing": pointing, "fetch": fetch}
        values = {**request.head(), **{name: value for name, value in usual.items() if not value}}
        head, blobs = engine.ask("open", "opened", payload, request.lengths(), values)
        self.size: tuple[int, int] = (int(head["size"][0]), int(head["size"][1]))
        self.picture: bytes = blobs[0]
        if len(self.picture) != 3 * self.size[0] * self.size[1]:
            raise engine.lost()

    def matte(self, asked: PointRequest) -> Answer:
        """The mask of the preview's size or, in full, of the layer's, and the report. Raises EngineError."""
        head, blobs = self._engine.ask("point", "matte", [], [], asked.head())
        lengths = self._full_lengths if asked.full else [self.size[0] * self.size[1]]
        if [len(blob) for blob in blobs] != lengths:
            raise self._engine.lost()
        return Answer(blobs[0], None, dict(head.get("report", {})), blobs[-1])

    def close(self) -> None:
        """Let the engine forget the layer; a thread that still waits for it hears that it is gone."""
        self._engine.close()
