"""The promptable network's graphs without weights, and the frames that its pictures and masks have."""

from __future__ import annotations

from importlib.resources import files

import cv2
import numpy as np
import onnx
import pytest
from bench.product_scenes import scene
from bench.promptable.archive import read_tensors
from hypothesis import given, settings
from hypothesis import strategies as st

from mattebox.core.errors import InferenceError
from mattebox.core.segment.prompt.choose import soft_iou
from mattebox.core.segment.prompt.frame import MASK, PICTURE, Frame, sigmoid
from mattebox.core.segment.prompt.network import CORNERS, IN, NONE, Promptable
from mattebox.core.segment.prompt.padding import squared
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


@pytest.fixture(scope="module")
def network() -> Promptable:
    """The network, loaded."""
    return Promptable(find_network("mobile-sam"), Store().ensure(find_network("mobile-sam")))


@pytest.mark.network
@pytest.mark.slow
def test_answers_are_those_of_the_authors_own_network(network: Promptable) -> None:
    """Embedding and masks of a drawn picture equal what PyTorch computes with the same weights.

    The numbers are those of torch 2.13 with the authors' code, which the export script loads; rows 15, 31 and
    47 end strips of the first layers, 16, 32 and 48 begin them.
    """
    y, x = np.mgrid[0:768, 0:1024]
    view = np.dstack([x % 256, y % 256, (x + y) % 256]).astype(np.uint8)
    cv_disc = (x - 500) ** 2 + (y - 400) ** 2 < 150**2
    view[cv_disc] = (250, 40, 30)
    encoded = network.encode(view)
    (answer,) = network.answer(encoded, [[(500.0, 400.0, IN), NONE]])
    assert np.abs(encoded.embedding[0, ::64, 20, 30] - EMBEDDING).max() < 1e-3
    assert np.abs(encoded.embedding[0, ::64, ROWS, 40] - AT_ROWS).max() < 1e-3
    assert np.abs(answer.guesses - GUESSES).max() < 1e-3
    assert np.abs(answer.logits[:, 100, 125] - LOGITS).max() < 1e-2


EMBEDDING = np.array([0.27412, 0.10250, -0.05522, 0.00976])
ROWS = [15, 16, 31, 32, 47, 48, 63]
AT_ROWS = np.array(
    [
        [-0.17062, -0.16597, -0.01394, 0.16661],
        [0.05646, -0.02248, -0.05398, 0.06212],
        [-0.16878, -0.20756, -0.02582, 0.19112],
        [0.11677, 0.04623, -0.11422, 0.05910],
        [-0.09251, -0.07768, -0.05880, 0.12942],
        [-0.01383, 0.33353, -0.16911, -0.05378],
        [-0.07715, 0.22201, -0.05250, -0.10291],
    ]
)
GUESSES = np.array([1.02199, 1.01344, 0.79084, 0.60050])
LOGITS = np.array([13.7086, 12.6945, 2.0994, 4.2879])


@pytest.mark.network
def test_a_batch_answers_as_single_prompts_do(network: Promptable) -> None:
    """Prompts that are asked together get the answers that they get alone."""
    encoded = network.encode(np.random.default_rng(3).integers(0, 256, (120, 160, 3), np.uint8))
    prompts = [[(40.0, 50.0, IN), NONE], [(120.0, 90.0, IN), NONE]]
    together = network.answer(encoded, prompts)
    for prompt, answer in zip(prompts, together, strict=True):
        (alone,) = network.answer(encoded, [prompt])
        assert np.abs(alone.logits - answer.logits).max() < 1e-3


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("size", [(683, 1024), (1024, 576), (900, 900), (51, 1024)])
def test_padding_that_is_not_encoded_changes_little(network: Promptable, size: tuple[int, int]) -> None:
    """A view without most of its padding has nearly the answers that it has with all of it."""
    height, width = size
    drawn = scene("bag", 3, 512)
    view, alpha = (
        np.asarray(cv2.resize(each, (width, height), interpolation=cv2.INTER_AREA))
        for each in (drawn.pixels, drawn.alpha)
    )
    left, top, across, down = cv2.boundingRect((alpha > 0.5).astype(np.uint8))
    box = [(left, top, CORNERS[0]), (left + across, top + down, CORNERS[1])]
    whole, part = network.encode(view), network.encode(view, padded=False)
    rows, columns = part.frame.patches
    differs = np.abs(whole.embedding - part.embedding)[0]
    assert differs[:, :rows, :columns].mean() < 0.015
    assert differs.mean() < 0.03
    ((one,), (other,)) = (network.answer(each, [box]) for each in (whole, part))
    best = int(one.guesses.argmax())
    assert soft_iou(*(sigmoid(each.logits[best]) for each in (one, other))) > 0.97
    assert part.padded == (rows == columns)
    if part.padded:
        assert np.array_equal(whole.embedding, part.embedding)


def test_a_view_keeps_what_was_encoded_of_it() -> None:
    """Filling the square leaves the view's own patches as they are, below and beside alike."""
    rng = np.random.default_rng(4)
    for rows, columns in ((45, 64), (64, 38)):
        embedding = rng.normal(size=(1, 256, rows, columns)).astype(np.float32)
        view = rows - 2 * (rows < 64), columns - 2 * (columns < 64)
        square = squared(embedding)
        assert square.shape == (1, 256, 64, 64)
        assert np.isfinite(square).all()
        assert np.array_equal(square[:, :, : view[0], : view[1]], embedding[:, :, : view[0], : view[1]])


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
    assert max(frame.shown) == PICTURE
    assert all(size <= shown for size, shown in zip(frame.size, frame.shown, strict=True))
    assert min(frame.shown) >= PICTURE // 2
    assert frame.raised(np.zeros(frame.cells, np.float32)).shape == (height, width)
