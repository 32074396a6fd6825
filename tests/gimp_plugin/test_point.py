"""Pointing through the engine host: a photo opened once, prompts answered, edges chosen, memory bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mattebox.core.engine import Engine as CoreEngine
from mattebox.core.photo.own_alpha import multiplied
from mattebox.gimp_plugin.host import OPEN_PHOTOS, Host
from mattebox.gimp_plugin.mattebox import protocol
from mattebox.gimp_plugin.mattebox.client import Engine, EngineError, Record
from mattebox.gimp_plugin.mattebox.point_request import PointRequest
from mattebox.gimp_plugin.mattebox.pointing import OpenLayer
from mattebox.gimp_plugin.mattebox.protocol import CutRequest, ProtocolError
from mattebox.models.catalogue import PROMPTABLE, find_network
from mattebox.models.store import Store

Wait = Callable[[Callable[[], bool]], None]
CUP = [290.0, 170.0, True]
TABLE = [60.0, 360.0, False]


@pytest.fixture(scope="module")
def engine() -> CoreEngine:
    """Networks that are loaded once."""
    return CoreEngine()


@pytest.fixture
def served(rendezvous: Path, engine: CoreEngine, started: Callable[[Host], Any]) -> Iterator[Host]:
    """A host with real networks."""
    host = Host(rendezvous, lambda _: engine, idle=0)
    thread = started(host)
    yield host
    host.stop()
    thread.join(20)


def sparse(folder: Path) -> Path:
    """A folder of weights that lacks the network which answers clicks."""
    kept = Store().ensure(find_network("u2net"))
    (folder / kept.name).symlink_to(kept)
    return folder


@pytest.fixture
def coffee(shipped_photos: dict[str, Path]) -> tuple[CutRequest, list[bytes]]:
    """A cup on a table, as a layer of 600 x 400."""
    pixels = np.asarray(Image.open(shipped_photos["coffee.png"]).convert("RGB"))
    return CutRequest(600, 400, 3, 8, {"quality": "fast"}), [pixels.tobytes()]


def opened(record: Record, layer: tuple[CutRequest, list[bytes]]) -> OpenLayer:
    """A layer that is open for pointing."""
    engine = Engine(record, lambda _: None)
    return OpenLayer(engine, layer[0], engine.pack(layer[0], [[blob] for blob in layer[1]]))


def matte(layer: OpenLayer, **asked: Any) -> tuple[dict[str, Any], bytes]:
    """The report and the mask of what is asked."""
    answer = layer.matte(PointRequest(**asked))
    return answer.report, answer.mask


def plane(data: bytes, size: tuple[int, int] = (600, 400)) -> Any:
    """A mask's bytes as an array."""
    return np.frombuffer(data, np.uint8).reshape(size[::-1])


@pytest.mark.network
@pytest.mark.slow
def test_prompts_edges_and_undo(served: Host, record: Record, coffee: Any) -> None:
    """Clicks, a stroke, a box and edges are answered from one look; undo gives the former mask again."""
    layer = opened(record, coffee)
    assert layer.size == (600, 400)
    assert layer.picture == coffee[1][0]
    one, first = matte(layer, clicks=[CUP])
    mask = plane(first)
    assert mask[170, 290] > 200
    assert mask[360, 60] < 50
    _, moved = matte(layer, clicks=[CUP], edges={"shift": 4.0})
    again, full = matte(layer, clicks=[CUP], edges={"shift": -3.0}, full=True)
    wider, narrower = plane(moved), plane(full)
    assert (wider >= mask).all()
    assert narrower.astype(int).sum() < mask.astype(int).sum() < wider.astype(int).sum()
    report, _ = matte(layer, clicks=[CUP], edges={"softness": 6.0})
    assert (one["again"], again["again"], report["again"]) == (False, False, True)
    stroke = {"say": "out", "size": 30, "points": [[200, 170], [380, 170]]}
    _, struck = matte(layer, clicks=[CUP], strokes=[stroke])
    assert (plane(struck)[165:175, 200:380] == 0).all()
    _, boxed = matte(layer, box=[120, 30, 480, 350])
    assert plane(boxed)[170, 290] > 200
    _, undone = matte(layer, clicks=[CUP])
    assert undone == first
    layer.close()


@pytest.mark.network
@pytest.mark.slow
def test_a_former_matte_is_gone_on_from(served: Host, record: Record, coffee: Any) -> None:
    """Without any prompt the layer's own mask comes back; edges are chosen on it alone."""
    mask = np.zeros((400, 600), np.uint8)
    mask[100:300, 200:400] = 255
    request = replace(coffee[0], rough=True, has_mask=True)
    layer = opened(record, (request, [*coffee[1], mask.tobytes()]))
    assert matte(layer, full=True)[1] == mask.tobytes()
    _, moved = matte(layer, edges={"shift": 2.0}, full=True)
    grown = np.zeros_like(mask)
    grown[98:302, 200:400] = 255
    assert (plane(moved)[:, 210:390] == grown[:, 210:390]).all()
    layer.close()


@pytest.mark.network
@pytest.mark.slow
def test_the_product_comes_in_full_alone_and_nothing_is_fetched_that_was_declined(
    served: Host, record: Record, coffee: Any, tmp_path: Path
) -> None:
    """For selections the matte times the layer's alpha; without the network for clicks others answer."""
    alpha = np.full((400, 600), 255, np.uint8)
    alpha[:, 290:] = 128
    request = replace(coffee[0], has_alpha=True, product=True, settings={"quality": "fast", "judge": "none"})
    core = CoreEngine(Store(sparse(tmp_path)))
    served._engine = core
    engine = Engine(record, lambda _: None)
    layer = OpenLayer(engine, request, [coffee[1][0], alpha.tobytes()], fetch=False)
    assert len(plane(layer.matte(PointRequest(clicks=[CUP])).mask)) == 400
    answer = layer.matte(PointRequest(clicks=[CUP], full=True))
    assert np.array_equal(multiplied(plane(answer.mask), alpha), plane(answer.product))
    assert not np.array_equal(plane(answer.mask), plane(answer.product))
    assert core.promptable(fetch=False)[0] is None
    assert not core.store.find(find_network(PROMPTABLE))
    layer.close()


@pytest.mark.network
@pytest.mark.slow
def test_open_photos_are_bounded_and_close_with_their_caller(
    served: Host, record: Record, coffee: Any, wait_until: Wait
) -> None:
    """One more than the host keeps is refused in words; a caller who leaves gives its place back."""
    small = np.frombuffer(coffee[1][0], np.uint8).reshape(400, 600, 3)[::8, ::8]
    layer = replace(coffee[0], width=75, height=50), [np.ascontiguousarray(small).tobytes()]
    held = [opened(record, layer) for _ in range(OPEN_PHOTOS)]
    with pytest.raises(EngineError, match="close one of their windows"):
        opened(record, layer)
    held.pop().close()
    wait_until(lambda: served.status()["open_photos"] == OPEN_PHOTOS - 1)
    held.append(opened(record, layer))
    for one in held:
        one.close()
    wait_until(lambda: served.status()["open_photos"] == 0)


@pytest.mark.network
@pytest.mark.slow
def test_a_caller_who_leaves_while_the_photo_is_opened_leaves_nothing(
    served: Host, record: Record, coffee: Any, wait_until: Wait
) -> None:
    """Cancel in the middle: the engine is idle again, and no place is taken."""
    engine = Engine(record, lambda _: None)
    protocol.send(engine._wire, "open", coffee[1], **coffee[0].head())
    wait_until(served.is_busy)
    engine.close()
    wait_until(lambda: not served.is_busy() and served.status()["open_photos"] == 0)


def test_a_prompt_without_a_photo_is_refused(host: Host, record: Record) -> None:
    """Pointing before a photo is open ends the connection with a sentence."""
    engine = Engine(record, lambda _: None)
    protocol.send(engine._wire, "point", **PointRequest(clicks=[CUP]).head())
    head = engine._next()
    while head["say"] == "step":
        head = engine._next()
    assert head["say"] == "failed"
    assert "no photo is open" in head["message"]
    engine.close()


@pytest.mark.parametrize(
    "change",
    [
        {"clicks": [[1, 2]]},
        {"clicks": [[1, 2, 1]]},
        {"clicks": [["1", 2, True]]},
        {"clicks": [[float("nan"), 2, True]]},
        {"clicks": [[1e9, 2, True]]},
        {"clicks": [[1, 2, True]] * 1001},
        {"box": [0, 0, 0, 4]},
        {"box": [0, 0, 3]},
        {"strokes": [{"say": "in", "size": 3, "points": []}]},
        {"strokes": [{"say": "maybe", "size": 3, "points": [[1, 2]]}]},
        {"strokes": [{"say": "in", "size": 0, "points": [[1, 2]]}]},
        {"strokes": [{"say": "in", "size": 3, "points": [[1, 2]] * 20_001}]},
        {"edges": {"softness": -1}},
        {"edges": {"shift": 51}},
        {"edges": {"keep_hair": 1}},
        {"edges": {"other": 1}},
        {"full": 1},
        {"unknown": 1},
        {"blobs": [3]},
    ],
)
def test_a_prompt_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    """Numbers out of bounds, too many of them and unknown keys are a ProtocolError."""
    head = {"mattebox": 1, "say": "point", "blobs": [], **PointRequest(clicks=[CUP]).head()}
    assert PointRequest.of(head) == PointRequest(clicks=[CUP])
    with pytest.raises(ProtocolError):
        PointRequest.of({**head, **change})
