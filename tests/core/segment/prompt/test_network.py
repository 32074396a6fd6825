"""The promptable network's graphs without weights, and the frames that its pictures and masks have."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import onnx
import pytest
from bench.promptable.archive import read_tensors
from hypothesis import given, settings
from hypothesis import strategies as st

from mattebox.core.errors import InferenceError
from mattebox.core.segment.prompt.frame import MASK, PICTURE, Frame
from mattebox.core.segment.prompt.network import IN, NONE, Promptable
from mattebox.models.catalogue import find_network
from mattebox.models.store import Store

GRAPHS = ("mobile_sam_encoder.onnx", "mobile_sam_decoder.onnx")


@pytest.mark.network
@pytest.mark.parametrize("graph", GRAPHS)
def test_every_weight_lies_in_the_checkpoint(graph: str) -> None:
    """Each weight's offset and length are those of the tensor of its shape in the verified checkpoint."""
    checkpoint = Store().ensure(find_network("mobile-sam"))
    places = {(item.offset, item.length, item.shape) for item in read_tensors(checkpoint).values()}
    model = onnx.load_from_string(files("mattebox.models").joinpath(graph).read_bytes())
    outside = [item for item in model.graph.initializer if item.data_location == onnx.TensorProto.EXTERNAL]
    assert len(outside) > 50
    for item in outside:
        told = {entry.key: entry.value for entry in item.external_data}
        assert told["location"] == find_network("mobile-sam").file
        assert (int(told["offset"]), int(told["length"]), tuple(item.dims)) in places


@pytest.mark.parametrize("graph", GRAPHS)
def test_graphs_hold_no_weights(graph: str) -> None:
    """What is shipped is small: structure and indices, and no weights of others."""
    assert len(files("mattebox.models").joinpath(graph).read_bytes()) < 200_000


@pytest.mark.network
def test_answers_are_those_of_the_authors_own_network() -> None:
    """Embedding and masks of a drawn picture equal what PyTorch computes with the same weights.

    The numbers are those of torch 2.13 with the authors' code, which the export script loads.
    """
    network = Promptable(find_network("mobile-sam"), Store().ensure(find_network("mobile-sam")))
    y, x = np.mgrid[0:768, 0:1024]
    view = np.dstack([x % 256, y % 256, (x + y) % 256]).astype(np.uint8)
    cv_disc = (x - 500) ** 2 + (y - 400) ** 2 < 150**2
    view[cv_disc] = (250, 40, 30)
    encoded = network.encode(view)
    (answer,) = network.answer(encoded, [[(500.0, 400.0, IN), NONE]])
    assert np.abs(encoded.embedding[0, ::64, 20, 30] - EMBEDDING).max() < 1e-3
    assert np.abs(answer.guesses - GUESSES).max() < 1e-3
    assert np.abs(answer.logits[:, 100, 125] - LOGITS).max() < 1e-2


EMBEDDING = np.array([0.27412, 0.10250, -0.05522, 0.00976])
GUESSES = np.array([1.02199, 1.01344, 0.79084, 0.60050])
LOGITS = np.array([13.7086, 12.6945, 2.0994, 4.2879])


@pytest.mark.network
def test_a_batch_answers_as_single_prompts_do() -> None:
    """Prompts that are asked together get the answers that they get alone."""
    network = Promptable(find_network("mobile-sam"), Store().ensure(find_network("mobile-sam")))
    encoded = network.encode(np.random.default_rng(3).integers(0, 256, (120, 160, 3), np.uint8))
    prompts = [[(40.0, 50.0, IN), NONE], [(120.0, 90.0, IN), NONE]]
    together = network.answer(encoded, prompts)
    for prompt, answer in zip(prompts, together, strict=True):
        (alone,) = network.answer(encoded, [prompt])
        assert np.abs(alone.logits - answer.logits).max() < 1e-3


def test_damaged_weights_are_one_sentence(tmp_path: object) -> None:
    """A checkpoint that is too short cannot be loaded, and the sentence says how to verify it."""
    from pathlib import Path

    path = Path(str(tmp_path)) / "mobile_sam.pt"
    path.write_bytes(b"short")
    with pytest.raises(InferenceError, match="mattebox models verify mobile-sam"):
        Promptable(find_network("mobile-sam"), path).load()


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 3000), st.integers(1, 3000))
def test_a_view_fits_its_frames(height: int, width: int) -> None:
    """Whatever its shape, a view lies within the picture and the mask, and its longer side fills them."""
    frame = Frame(height, width)
    assert max(frame.size) == PICTURE
    assert min(frame.size) >= 1
    assert max(frame.cells) == MASK
    assert frame.raised(np.zeros(frame.cells, np.float32)).shape == (height, width)
