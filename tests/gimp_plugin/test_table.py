"""In real GIMP 3.0 and 3.2: every kind of layer in every state gets every result, and stays what it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mattebox.core.photo.own_alpha import multiplied

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tests.gimp_plugin.rig import Result, Rig

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(2400)]

Tables = Callable[[str], "Rig"]
EFFECTS = ["exposure", "lens", "shadow"]
KINDS = {
    "3.0": ["raster", "alpha", "text", "group", "passing", "effect-group", *EFFECTS],
    "3.2": ["raster", "alpha", "text", "group", "passing", "effect-group", *EFFECTS, "link", "vector"],
}
# Kinds that differ from one of these in their pixels alone are tried in two states.
WHOLE = ["raster", "text", "group", "exposure", "link", "vector"]
STATES = ["plain", "hidden", "masked", "locked", "parent"]
LOCKS = ["lock-content", "lock-alpha", "lock-position", "lock-visibility"]
RESULTS = ["mask", "selection", "channel", "layer"]
# Effects whose pixels do not lie where the layer's own lie: their masks must differ from those without.
MOVING = ["lens", "effect-group"]


def cases() -> Iterator[tuple[str, str, str, str]]:
    """Version, kind, state and result of each call."""
    for version, kinds in KINDS.items():
        for kind in kinds:
            states = STATES if kind in WHOLE else ["plain", "locked"]
            for state in [*states, *(LOCKS if kind in ("raster", "group") else [])]:
                for result in RESULTS:
                    yield version, kind, state, result


@pytest.fixture(scope="module")
def tables(gimps: Callable[[str], Rig], asked: list[str], request: pytest.FixtureRequest) -> Iterator[Tables]:
    """All calls of a version for the kinds that tests will ask about, done in one GIMP the first time."""
    items = [item for item in request.session.items if item.path == request.path]
    wanted = ["raster", *sorted({item.callspec.params["kind"] for item in items} - {"raster"})]
    begun: dict[str, tuple[Rig, Future[str]]] = {}

    def table(version: str) -> Rig:
        # Both side by side: a call is one process after another, and seldom more than one at a time.
        for name in (version, *asked):
            if name not in begun:
                rig = gimps(name)
                begun[name] = rig, both.submit(rig.run, "table", timeout=2300, fonts=True, wanted=wanted)
        rig, run = begun[version]
        run.result()
        return rig

    with ThreadPoolExecutor(len(KINDS)) as both:
        yield table


def plane(result: Result, key: str, size: list[int], channels: int = 1) -> NDArray[np.uint8]:
    """Bytes that the script wrote, as (h, w) or (h, w, channels)."""
    data = np.frombuffer((result.folder / f"{result.name}.{key}").read_bytes(), np.uint8)
    shape = (size[1], size[0]) if channels == 1 else (size[1], size[0], channels)
    return data.reshape(shape)


def on_canvas(mask: NDArray[np.uint8], place: list[int]) -> NDArray[Any]:
    """A mask at its layer's place on the canvas of 90 x 100."""
    canvas = np.zeros((100, 90), np.uint8)
    left, top = place
    height, width = min(mask.shape[0], 100 - top), min(mask.shape[1], 90 - left)
    canvas[top : top + height, left : left + width] = mask[:height, :width]
    return canvas


@pytest.mark.parametrize(("version", "kind", "state", "result"), list(cases()))
def test_each_result_of_each_layer(tables: Tables, version: str, kind: str, state: str, result: str) -> None:
    """The answer is that for a plain layer with the shown pixels, and the layer itself is as it was."""
    rig = tables(version)
    found = rig.result(f"{kind}-{state}-{result}")
    # Locked alpha holds the effects of layers with alpha back, on the screen too.
    seen = "locked" if (kind, state) == ("effect-group", "locked") else "plain"
    reference = rig.result(f"{kind}-{seen}-reference")
    assert (found["status"], found["error"], found["same"]) == ("success", "", True)
    size = reference["size"]
    mask, shown = plane(reference, "mask", size), plane(reference, "shown", size, 4)
    was, visible = found["shown"]
    hides = result == "layer" and state not in ("locked", "lock-visibility")
    assert visible == (was and not hides)
    if result in ("selection", "channel"):
        expected = on_canvas(multiplied(mask, shown[..., 3]), reference["place"])
        assert np.array_equal(plane(found, "canvas", [90, 100]), expected)
        return
    # Applied, not edited, not shown instead of the picture, whatever the mask before it was.
    assert found["used"] == [True, False, False]
    assert np.array_equal(plane(found, "mask", size), mask)
    if result == "layer":
        assert found["new"] == ["Layer", [False] * 4, 0, True, True]
        pixels, sure = plane(found, "pixels", size, 4), multiplied(mask, shown[..., 3]) == 255
        assert np.array_equal(pixels[sure], shown[sure])
        if "reloaded" in found.values:
            assert found["reloaded"], "the new layer has other pixels after saving and opening"


@pytest.mark.parametrize(
    ("version", "kind"), [(version, kind) for version in KINDS for kind in KINDS[version]]
)
def test_a_locked_layers_copy_is_all_that_it_is(tables: Tables, version: str, kind: str) -> None:
    """The copy has its pixels, effects, kind and locks, and gets the mask; the layer itself has none."""
    rig = tables(version)
    found = rig.result(f"{kind}-locked-copy")
    reference = rig.result(f"{kind}-{'locked' if kind == 'effect-group' else 'plain'}-reference")
    assert (found["status"], found["error"], found["same"]) == ("success", "", True)
    assert (found["kind"], found["masked"]) == (found["own"], False)
    assert found["new"][1] == [True, True, True, False], "all locks but that of its visibility"
    assert np.array_equal(
        plane(found, "mask", reference["size"]), plane(reference, "mask", reference["size"])
    )


@pytest.mark.parametrize(
    ("version", "kind"), [(version, kind) for version in KINDS for kind in KINDS[version]]
)
def test_the_references_would_show_a_mistake(tables: Tables, version: str, kind: str) -> None:
    """Each reference found a subject, and effects that move pixels show other ones than the layer has."""
    reference = tables(version).result(f"{kind}-plain-reference")
    assert (reference["status"], reference["error"]) == ("success", "")
    mask = plane(reference, "mask", reference["size"])
    assert mask.max() > 200
    assert mask.min() < 50
    if kind in MOVING:
        own = plane(tables(version).result("raster-plain-reference"), "mask", reference["size"])
        assert np.abs(mask.astype(int) - own).mean() > 10
