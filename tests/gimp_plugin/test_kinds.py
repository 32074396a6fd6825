"""In a real GIMP 3: images with a profile of their own, text layers, floating selections, locked layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.gimp_plugin.command_line import Masks, by_command_line, masks_of, shown

if TYPE_CHECKING:
    from tests.gimp_plugin.rig import Rig

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(600)]

PROFILES = ["adobe-U8", "adobe-U16", "adobe-U8-alpha", "gray-U8", "gray-U16"]


@pytest.fixture(scope="module")
def kinds(rig: Rig) -> Rig:
    """All cases, done in one GIMP that has fonts."""
    rig.run("kinds", timeout=500, fonts=True)
    return rig


@pytest.fixture(scope="module")
def exported(kinds: Rig) -> Masks:
    """What the command line makes of the files that GIMP itself exported, with their profiles."""
    return masks_of(kinds, kinds.scratch, [f"profile-{name}" for name in PROFILES])


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_means_the_same_as_in_a_file(kinds: Rig, exported: Masks, name: str) -> None:
    """Refined in its own colours and seen by the network in sRGB: value for value the file's mask."""
    result = kinds.result(f"profile-{name}")
    assert (result["status"], result["error"], result["same"]) == ("success", "", True)
    expected = exported[f"profile-{name}"]
    assert np.array_equal(shown(result), expected)
    assert len(np.unique(expected)) > 20, "the matte would show no mistake"


@pytest.mark.parametrize("name", ["adobe-U8", "adobe-U16", "adobe-U8-alpha"])
def test_clean_colours_stay_in_the_images_profile(kinds: Rig, name: str) -> None:
    """Where the matte is full the new layer has the very bytes of the old one."""
    result = kinds.result(f"clean-{name}")
    assert (result["status"], result["error"]) == ("success", "")
    channels = 4 if name.endswith("alpha") else 3
    own, new, mask = result.plane("own", channels), result.plane("new", channels), result.plane("mask")
    assert own is not None
    assert new is not None
    full = mask == np.iinfo(own.dtype).max
    assert full.any()
    assert np.array_equal(new[full], own[full])


def test_a_text_layer_gets_a_mask_and_stays_text(kinds: Rig) -> None:
    """Its mask is the command line's for the text's pixels, and the text can still be edited."""
    result = kinds.result("text")
    assert (result["status"], result["error"], result["same"], result["still"]) == ("success", "", True, "Ag")
    assert np.array_equal(shown(result), by_command_line(kinds, [result])["text"])
    clean = kinds.result("text-clean")
    assert (clean["status"], clean["error"], clean["still"]) == ("success", "", "Ag")
    assert clean["size"] == result["size"]


def test_a_floating_selection_is_refused_and_the_layer_below_it_is_not(kinds: Rig) -> None:
    """A sentence says what to do first and all is as before; the layer that it floats over is cut as ever."""
    result = kinds.result("floating")
    assert (result["status"], result["same"]) == ("execution-error", True)
    assert "Anchor the floating selection" in result["error"]
    below = kinds.result("under-floating")
    assert (below["status"], below["error"]) == ("success", "")
    assert np.array_equal(shown(below), by_command_line(kinds, [below])["under-floating"])


def test_locked_and_hidden_layers_get_masks_too(kinds: Rig) -> None:
    """A lock is for pixels and places, which stay; what was hidden stays hidden."""
    result = kinds.result("locked")
    assert (result["status"], result["error"], result["still"]) == ("success", "", False)
    assert np.array_equal(shown(result), by_command_line(kinds, [result])["locked"])
