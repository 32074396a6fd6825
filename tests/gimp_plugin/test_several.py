"""In a real GIMP 3: several results of one call, and a mask on a copy of its layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from tests.gimp_plugin.rig import Rig

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def several(rig: Rig) -> Rig:
    """All cases, done in one GIMP."""
    rig.run("several", timeout=500)
    return rig


def data(rig: Rig, name: str, key: str) -> bytes:
    """The bytes of a result."""
    return (rig.scratch / f"several-{name}.{key}").read_bytes()


@pytest.mark.parametrize("name", ["mask", "layer", "channel"])
def test_each_of_several_results_is_what_it_is_alone(several: Rig, name: str) -> None:
    """A transparent layer's selection, channel and mask, value for value those of calls for one of them."""
    result, alone = several.result(f"several-{name}"), several.result("several-selection")
    assert (result["status"], result["error"], result["channels"]) == ("success", "", 1)
    assert data(several, name, "selection") == data(several, "selection", "selection")
    assert data(several, name, "channel") == data(several, name, "selection")
    assert result["selected"] == alone["selected"]
    assert len(np.unique(np.frombuffer(data(several, name, "selection"), np.uint8))) > 20
    mask = data(several, name, "mask")
    assert mask == (b"" if name == "channel" else data(several, "mask-alone", "mask"))
    assert result["visible"] == ([True, False] if name == "layer" else [True])


def test_of_two_layers_the_selection_holds_both(several: Rig) -> None:
    """Each has its own mask and channel."""
    result = several.result("several-two")
    assert (result["status"], result["channels"]) == ("success", 2)
    assert len(data(several, "two", "mask")) == 67 * 81
    selection, channel = (
        np.frombuffer(data(several, "two", key), np.uint8) for key in ("selection", "channel")
    )
    assert (selection >= channel).all()
    assert selection.sum(dtype=int) > channel.sum(dtype=int)


def test_a_selection_that_was_to_be_kept_is_kept(several: Rig) -> None:
    """Also where it would be made beside a mask."""
    result = several.result("several-kept")
    assert result["status"] == "execution-error"
    assert "selected already" in result["error"]
    assert result["same"]


def test_a_copy_gets_the_mask(several: Rig) -> None:
    """Pointing from a script: the layer is hidden and has no mask; refining goes on from the copy."""
    result, refined = several.result("several-point"), several.result("several-refine")
    assert (result["said"], result["own"], result["channels"]) == (["success", ""], False, 1)
    assert result["names"] == ["Background subject", "Background"]
    assert result["visible"] == [True, False]
    assert refined["said"] == ["success", ""]
    assert (refined["channels"], refined["visible"]) == (2, [True, False])
    assert data(several, "refine", "mask") != data(several, "point", "mask")
