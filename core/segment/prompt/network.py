"""Promptable: a network that looks at a photo once and then answers clicks and boxes in a blink.

MobileSAM (Zhang et al., "Faster Segment Anything", 2023), which answers as SAM does (Kirillov et al.,
"Segment Anything", ICCV 2023). Its two graphs are shipped without weights: for each of these they name an
offset and a length in the authors' checkpoint, which the store has verified. onnxruntime maps it from there,
so that nothing is ever unpickled.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import onnxruntime as ort

from mattebox.core.errors import InferenceError, LoadError, reason_of
from mattebox.core.network.runtime import session_options
from mattebox.core.segment.prompt.frame import MASK, PATCHES, PICTURE, Frame
from mattebox.core.segment.prompt.padding import squared

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mattebox.models.catalogue import Network

    Map = NDArray[np.float32]
    Logits = NDArray[np.float32]

IN: Final = 1.0
OUT: Final = 0.0
CORNERS: Final = (2.0, 3.0)
NONE: Final = (0.0, 0.0, -1.0)
_FOLDER: Final = "session.model_external_initializers_file_folder_path"

Mark = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A photo as the network remembers it: embedding (1, 256, 64, 64) float32, 4 MiB whatever the photo.

    padded: whether all of its padding was encoded, as the authors do it, or most of it was filled in.
    """

    embedding: NDArray[np.float32]
    frame: Frame
    padded: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Four masks for one prompt, logits (4, rows, columns), and the network's guesses of their IoU, (4,).

    Mask 0 is the network's single answer, 1 to 3 are those of growing extent. whole: the masks in the whole
    frame, (4, 256, 256), as a further prompt wants the one that it goes on from.
    """

    logits: Logits
    guesses: NDArray[np.float32]
    whole: Logits


class Promptable:
    """A promptable network, loaded once, when it is first asked; threads may share it."""

    def __init__(self, network: Network, weights: Path, threads: int = 0) -> None:
        """The graphs of `network` with their `weights`, which `load` or the first use loads."""
        self.network = network
        self._weights, self._threads = weights, threads
        self._running: set[Any] = set()
        self._loading = Lock()
        self._sessions: tuple[Any, Any] | None = None

    def load(self) -> None:
        """Load the graphs where they are not loaded yet. Raises LoadError."""
        self._loaded()

    def _loaded(self) -> tuple[Any, Any]:
        """The encoder's session and the decoder's."""
        with self._loading:
            if self._sessions is None:
                self._sessions = self._opened()
            return self._sessions

    def _opened(self) -> tuple[Any, Any]:
        stem = self._weights.stem
        try:
            encoder, decoder = (
                _session(f"{stem}_{part}.onnx", self._weights, self._threads)
                for part in ("encoder", "decoder")
            )
        except Exception as error:
            raise LoadError(
                f"The network {self.network.name} cannot be loaded; run 'mattebox models verify "
                f"{self.network.name}' ({reason_of(error)})."
            ) from error
        return encoder, decoder

    def encode(self, view: NDArray[np.uint8], *, padded: bool = True) -> Encoded:
        """What the network remembers of a small sRGB picture (h, w, 3) uint8. Raises InferenceError.

        padded: encode all of the picture's padding. Without it two thirds of the time at 3 by 2, and answers
        that are nearly the same.
        """
        frame = Frame(*view.shape[:2])
        embedding = self.embedding(self.tensor(view, padded=padded))
        return Encoded(squared(embedding), frame, embedding.shape[2:] == (PATCHES, PATCHES))

    def tensor(self, view: NDArray[np.uint8], *, padded: bool) -> NDArray[np.float32]:
        """A view (h, w, 3) uint8 as the encoder is shown it, with all padding or a margin: (1, 3, h, w)."""
        frame = Frame(*view.shape[:2])
        height, width = frame.size
        way = cv2.INTER_AREA if frame.scale < 1 else cv2.INTER_LINEAR
        picture = cv2.resize(view, (width, height), interpolation=way)
        tensor = np.zeros((1, 3, *((PICTURE, PICTURE) if padded else frame.shown)), np.float32)
        planes = cv2.split(picture)
        for plane, levels, mean, std in zip(
            tensor[0], planes, self.network.mean, self.network.std, strict=True
        ):
            scaled = np.asarray(levels, np.float32) * np.float32(self.network.scale)
            plane[:height, :width] = (scaled - np.float32(mean)) / np.float32(std)
        return tensor

    def embedding(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        """The encoder's embedding of such a tensor, 1/16 of its size. Raises InferenceError."""
        (found,) = self._run(self._loaded()[0], {"picture": tensor})
        return np.asarray(found, np.float32)

    def answer(
        self, encoded: Encoded, prompts: Sequence[Sequence[Mark]], former: Sequence[Logits] | None = None
    ) -> list[Answer]:
        """An answer to each of several prompts, at about the cost of so many single ones.

        prompts: marks (x, y, label) in pixels of the view, equally many in each; label is IN, OUT or, for a
        box's upper left and lower right, the two CORNERS. former: of each prompt the mask (256, 256) that it
        goes on from. Raises InferenceError.
        """
        marks = np.asarray(prompts, np.float32)
        has_mask = np.full((1, 1, 1, 1), float(former is not None), np.float32)
        mask = np.zeros((len(marks), 1, MASK, MASK), np.float32)
        if former is not None:
            mask[:, 0] = np.stack(former)
        whole, guesses = self._run(
            self._loaded()[1],
            {
                "embedding": encoded.embedding,
                "points": marks[..., :2] * np.float32(encoded.frame.scale),
                "labels": np.ascontiguousarray(marks[..., 2]),
                "mask": mask,
                "has_mask": has_mask,
            },
        )
        rows, columns = encoded.frame.cells
        return [
            Answer(masks[:, :rows, :columns], guess, masks)
            for masks, guess in zip(whole, guesses, strict=True)
        ]

    def interrupt(self) -> None:
        """End the runs that go on in other threads, which then raise InferenceError."""
        for options in tuple(self._running):
            options.terminate = True

    def _run(self, session: Any, inputs: dict[str, NDArray[np.float32]]) -> list[Any]:
        options = ort.RunOptions()
        # What a run takes it gives back: it is half as much as all else that is held between photos.
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        self._running.add(options)
        try:
            found: list[Any] = session.run(None, inputs, options)
        except Exception as error:
            raise InferenceError(
                f"The network {self.network.name} failed on this photo ({reason_of(error)})."
            ) from error
        finally:
            self._running.discard(options)
        return found


def _session(graph: str, weights: Path, threads: int) -> Any:
    options = session_options(threads)
    options.add_session_config_entry(_FOLDER, os.fspath(weights.parent))
    data = files("mattebox.models").joinpath(graph).read_bytes()
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
