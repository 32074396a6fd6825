"""In a real GIMP 3: the plug-in's masks equal `mattebox cut --format mask` on the same pixels."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.gimp_plugin.command_line import Masks, by_command_line, shown

from mattebox.core.photo.own_alpha import multiplied
from mattebox.core.settings import CutSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tests.gimp_plugin.rig import Rig

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(600)]

PRECISIONS = [
    f"{depth}_{curve}"
    for depth in ("U8", "U16", "U32", "HALF", "FLOAT", "DOUBLE")
    for curve in ("NON_LINEAR", "LINEAR", "PERCEPTUAL")
]
# cv2 writes no gray PNG with alpha and 16 bits, so only RGB has a second opinion there.
WITH_ALPHA = ("U8_LINEAR", "U16_NON_LINEAR", "FLOAT_LINEAR")
PLACES = [([0, 0], [67, 81]), ([-9, 5], [67, 81]), ([11, -13], [120, 60]), ([3, 4], [80, 90])]
RULES = """
folders:
  - name: a
    watch: ./in
    rules: [{name: first, cut: {model: u2net}}, {name: second, cut: {model: u2netp, quality: fast}}]
"""


def cases() -> list[dict[str, Any]]:
    """Every mode with every precision; alpha, place and files vary with them."""
    found: list[dict[str, Any]] = []
    for mode in ("rgb", "gray", "indexed"):
        for number, precision in enumerate(PRECISIONS if mode != "indexed" else ["U8_NON_LINEAR"]):
            both = precision == "U8_NON_LINEAR" or (mode == "rgb" and precision in WITH_ALPHA)
            for alpha in (False, True) if both else (False,):
                offset, canvas = PLACES[number % len(PLACES)]
                plain = precision in ("U8_NON_LINEAR", "U16_NON_LINEAR") and mode != "indexed"
                found.append(
                    {
                        "name": f"{mode}-{precision}{'-alpha' if alpha else ''}",
                        "mode": mode,
                        "precision": precision,
                        "alpha": alpha,
                        "offset": offset,
                        "canvas": canvas,
                        "save": ["xcf", "psd"] if plain else ["xcf"],
                    }
                )
    return found


CASES = cases()


@pytest.fixture(scope="module")
def forms(rig: Rig) -> tuple[Rig, Masks]:
    """All cases of modes and precisions, done in one GIMP."""
    (rig.scratch / "cases.json").write_text(json.dumps(CASES), encoding="utf-8")
    rig.run("forms", timeout=500)
    return rig, by_command_line(rig, [rig.result(case["name"]) for case in CASES])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_mask_is_the_command_lines(forms: tuple[Rig, Masks], case: dict[str, Any]) -> None:
    """Value for value, in place, with pixels and offsets as they were; the same from XCF and PSD."""
    rig, masks = forms
    result = rig.result(case["name"])
    assert (result["status"], result["error"]) == ("success", "")
    assert result["same"], "the layer's pixels changed"
    assert result["offsets"] == case["offset"]
    # Half precision keeps eleven bits of a value: 16 bits come back within a step of 2 ** -12.
    loose = 16 if case["precision"].startswith("HALF") else 0
    expected = masks[case["name"]]
    assert expected.dtype == result.pixels.dtype
    assert np.abs(shown(result).astype(int) - expected).max() <= loose
    assert len(np.unique(expected)) > 20, "the matte would show no mistake"
    for ending in case["save"]:
        again = rig.result(f"{case['name']}-{ending}")
        assert again["offsets"] == case["offset"]
        mask, kept = result.plane("mask"), again.plane("mask")
        assert kept is not None
        assert np.array_equal(kept, mask), ending


@pytest.fixture(scope="module")
def options(rig: Rig) -> tuple[Rig, NDArray[Any]]:
    """All cases of selections, masks and results, done in one GIMP; with the photo's own matte."""
    (rig.scratch / "rules.yaml").write_text(RULES, encoding="utf-8")
    (rig.scratch / "options.log").write_text(rig.run("options", timeout=500), encoding="utf-8")
    plain = rig.result("existing-replace")
    return rig, by_command_line(rig, [plain])["existing-replace"]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("replace", lambda _, new: new),
        ("intersect", np.minimum),
        ("add", lambda old, new: np.minimum(old.astype(int) + new, 255)),
        ("subtract", lambda old, new: np.maximum(old.astype(int) - new, 0)),
        ("refuse", lambda old, _: old),
    ],
)
def test_an_existing_mask_is_combined_as_wished(
    options: tuple[Rig, NDArray[Any]], how: str, expected: Callable[..., NDArray[Any]]
) -> None:
    """The five ways, value for value; refuse changes nothing and says so."""
    rig, matte = options
    result = rig.result(f"existing-{how}")
    old, mask = result.plane("old"), result.plane("mask")
    assert np.array_equal(mask, expected(old, matte))
    assert result["same"] == (how == "refuse")
    assert ("has a mask already" in result["error"]) == (how == "refuse")


def test_a_layer_without_a_mask_loses_its_subject_by_subtract(options: tuple[Rig, NDArray[Any]]) -> None:
    """No mask means that all is visible: what is left is everything but the subject."""
    rig, matte = options
    assert np.array_equal(rig.result("existing-none-subtract").plane("mask"), 255 - matte)


def test_inside_the_selection_is_its_shape(options: tuple[Rig, NDArray[Any]]) -> None:
    """A rectangle within the subject gives the part of the subject in it; the selection stays."""
    rig, matte = options
    result = rig.result("inside")
    assert (result["status"], result["error"], result["still"]) == ("success", "", [5, 15, 65, 65])
    expected = np.zeros_like(matte)
    expected[4:54, 25:67] = matte[4:54, 25:67]
    assert np.array_equal(result.plane("mask"), expected)


@pytest.mark.parametrize("name", ["ellipse", "ellipse-16"])
def test_a_feathered_selection_feathers_the_mask(options: tuple[Rig, NDArray[Any]], name: str) -> None:
    """The mask is the matte times the selection: soft where it is soft, 0 where nothing is selected."""
    rig, _ = options
    result, plain = rig.result(f"inside-{name}"), rig.result(f"inside-{name}-plain")
    selection, mask, matte = result.plane("selection"), result.plane("mask"), plain.plane("mask")
    assert selection is not None
    assert mask is not None
    assert matte is not None
    assert len(np.unique(selection)) > 20, "the selection is not soft"
    assert np.array_equal(mask, multiplied(matte, selection))
    assert mask[selection > 0].any()
    assert not mask[selection == 0].any()


def test_selection_and_channel_hold_the_matte_at_the_layers_place(options: tuple[Rig, NDArray[Any]]) -> None:
    """On the canvas, cut off where the layer hangs over; no stray channel, the layer still selected."""
    rig, matte = options
    expected = np.zeros((70, 90), np.uint8)
    expected[11:70, 0:47] = matte[0:59, 20:67]
    for result, channels in (("selection", 0), ("channel", 1)):
        found = rig.result(f"result-{result}")
        assert (found["status"], found["channels"]) == ("success", channels)
        assert len(found["selected"]) == 1
        canvas = np.frombuffer((rig.scratch / f"result-{result}.canvas").read_bytes(), np.uint8)
        assert np.array_equal(canvas.reshape(70, 90), expected), result


def test_a_selection_is_intersected_with_the_one_that_is(options: tuple[Rig, NDArray[Any]]) -> None:
    """Right of the rectangle nothing is selected, in it the matte is."""
    rig, matte = options
    canvas = np.frombuffer((rig.scratch / "selection-intersect.canvas").read_bytes(), np.uint8)
    expected = matte.copy()
    expected[:, 40:] = 0
    assert np.array_equal(canvas.reshape(matte.shape), expected)


@pytest.mark.parametrize("form", ["plain", "alpha", "masked"])
def test_a_clean_layer_lies_above_the_hidden_original(options: tuple[Rig, NDArray[Any]], form: str) -> None:
    """The new layer has the matte as its mask, and the photo's own colours where the matte is full."""
    rig, matte = options
    result = rig.result(f"layer-{form}")
    assert (result["status"], result["error"], result["same"]) == ("success", "", True)
    assert (len(result["names"]), result["visible"]) == (2, [True, False])
    assert np.array_equal(result.plane("mask"), matte)
    photo = rig.result("existing-replace").pixels
    assert np.array_equal(result.pixels[matte == 255], photo[matte == 255])
    partial = (matte > 0) & (matte < 255)
    assert not np.array_equal(result.pixels[partial], photo[partial])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("layer-indexed", "Image > Mode > RGB"),
        ("outside", "does not touch"),
        ("nothing-found", "No subject was found in the layer"),
        ("nothing-found-selection", "No subject was found in the layer"),
        ("nothing-found-effect", "No subject was found in the layer"),
        ("nothing-to-refine", "shows nothing whose edges"),
        ("refine-nothing", "has no mask"),
        ("refine-no-selection", "Nothing is selected"),
        ("channel-refused", "Select a layer"),
        ("rule-unknown", "second"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    options: tuple[Rig, NDArray[Any]], name: str, words: str
) -> None:
    """A sentence in GIMP's own error, and every pixel, mask, channel and selection as before."""
    result = options[0].result(name)
    assert result["status"] == "execution-error"
    assert words in result["error"]
    assert result["same"]


def test_doubts_and_layers_that_stay_shown_are_messages(options: tuple[Rig, NDArray[Any]]) -> None:
    """Without a window GIMP prints them: one line for each, with what to do."""
    rig, _ = options
    assert rig.result("remarks")["status"] == "success"
    printed = (rig.scratch / "options.log").read_text(encoding="utf-8")
    lines = [line.partition("-Warning: ")[2] for line in printed.splitlines()]
    assert any(line.startswith("“doubtful”: locked visible") for line in lines)
    assert any(re.fullmatch(r"Mattebox is \d+% sure: .+\. .+\.", line) for line in lines)
    assert any(line.startswith("No subject was found in “blank”") for line in lines)


def test_where_one_of_two_layers_holds_nothing_the_other_gets_its_mask(
    options: tuple[Rig, NDArray[Any]],
) -> None:
    """The blank layer stays without a mask."""
    rig, matte = options
    result = rig.result("one-of-two")
    assert (result["status"], result["blank"]) == ("success", False)
    assert np.array_equal(result.plane("mask"), matte)


@pytest.mark.parametrize("name", ["several-first", "several-second", "mask-as-drawable", "group", "rule"])
def test_layers_and_rules_get_the_same_matte(options: tuple[Rig, NDArray[Any]], name: str) -> None:
    """Several layers, a group, a mask that stands for its layer, a rule of a YAML: the matte is one."""
    rig, matte = options
    assert np.array_equal(rig.result(name).plane("mask"), matte)


def test_masks_and_selections_are_refined(options: tuple[Rig, NDArray[Any]]) -> None:
    """Both are rough answers: a hard selection keeps its inside and its outside."""
    rig, _ = options
    assert rig.result("refine-mask")["status"] == "success"
    mask = rig.result("refine-selection").plane("mask")
    assert mask is not None
    assert mask[35, 40] == 255
    assert mask[75, 5] == 0


def test_again_repeats_the_dialogs_last_settings(options: tuple[Rig, NDArray[Any]]) -> None:
    """Without any dialog so far these are the defaults."""
    rig, _ = options
    again, mask = rig.result("again-defaults"), rig.result("mask-defaults")
    assert (again["status"], again["error"]) == ("success", "")
    assert np.array_equal(again.plane("mask"), mask.plane("mask"))


def test_the_dialogs_choices_are_the_engines(rig: Rig) -> None:
    """Quality and edges have the names that CutSettings knows."""
    source = (rig.plugin / "arguments.py").read_text(encoding="utf-8")
    schema = CutSettings.model_json_schema()["properties"]
    for key in ("quality", "refine"):
        for name in schema[key]["enum"]:
            assert f'("{name}", ' in source
