"""One layer's work: masks combine by GIMP's rules, boxes restrict, rough answers need no network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mattebox.core.engine import Engine
from mattebox.core.errors import SettingsError
from mattebox.core.photo.own_alpha import multiplied
from mattebox.core.settings import CutSettings
from mattebox.gimp_plugin.cut import combined, cut_layer, divided, settings_of
from mattebox.gimp_plugin.mattebox.protocol import CutRequest
from mattebox.models.store import Store

DEPTHS: Any = st.sampled_from([np.uint8, np.uint16])


@given(st.data(), DEPTHS)
def test_the_divided_mask_shows_the_same_picture(data: st.DataObject, depth: Any) -> None:
    """GIMP's product of the divided mask and the layer's alpha is the matte that was divided."""
    matte = data.draw(arrays(depth, (3, 4)))
    own = data.draw(arrays(depth, (3, 4)))
    product = multiplied(matte, own)
    assert np.array_equal(multiplied(divided(product, own), own), product)
    assert not divided(product, own)[own == 0].any()


@given(st.data(), DEPTHS)
def test_masks_combine_like_channels_in_gimp(data: st.DataObject, depth: Any) -> None:
    """Intersect is the smaller, add stops at full, subtract stops at nothing."""
    old = data.draw(arrays(depth, (2, 5)))
    new = data.draw(arrays(depth, (2, 5)))
    wide_old, wide_new = old.astype(np.int64), new.astype(np.int64)
    top = int(np.iinfo(depth).max)
    expected = {
        "replace": wide_new,
        "intersect": np.minimum(wide_old, wide_new),
        "add": np.minimum(wide_old + wide_new, top),
        "subtract": np.maximum(wide_old - wide_new, 0),
    }
    for how, result in expected.items():
        answer = combined(how, old, new)
        assert answer.dtype == depth
        assert np.array_equal(answer, result)


def test_the_selections_box_is_where_the_subject_is_looked_for() -> None:
    """A box becomes the setting that the command line has for it, whatever the rule or the dialog said."""
    request = CutRequest(60, 40, 3, 8, {"subject": "centre"}, box=[10, 5, 30, 25])
    assert settings_of(request) == CutSettings(subject=(10, 5, 30, 25), decontaminate=False)


def test_a_selection_cuts_the_answer_before_masks_are_combined(tmp_path: Path) -> None:
    """Matte times selection, then added to the mask that was sent: what was outside before stays."""
    old, selection = np.zeros((10, 20), np.uint8), np.zeros((10, 20), np.uint8)
    old[:, :5], selection[2:8, 4:12] = 200, 100
    request = CutRequest(
        20, 10, 3, 8, {}, box=[4, 2, 12, 8], rough=True, combine="add", has_mask=True, has_selection=True
    )
    white = np.full((10, 20, 3), 255, np.uint8)
    blobs = [white.tobytes(), old.tobytes(), selection.tobytes()]
    assert [len(blob) for blob in blobs] == request.lengths()
    report, (answer,) = cut_layer(request, blobs, Engine(Store(tmp_path)), lambda _: None)
    mask = np.frombuffer(answer, np.uint8).reshape(10, 20)
    assert not report["empty"]
    assert np.array_equal(mask[selection == 0], old[selection == 0])
    assert mask[5, 4] == 255
    assert mask.max() <= 255


def test_the_product_is_the_answer_that_a_channel_would_get(tmp_path: Path) -> None:
    """Beside a mask that is divided by alpha and combined: the matte times alpha and selection."""
    matte, selection = np.zeros((10, 20), np.uint8), np.zeros((10, 20), np.uint8)
    matte[2:8, 3:15], selection[:, 5:] = 255, 140
    alpha = np.tile(np.linspace(0, 255, 20).astype(np.uint8), (10, 1))
    request = CutRequest(
        20,
        10,
        3,
        8,
        {"refine": "none"},
        box=[5, 0, 20, 10],
        rough=True,
        combine="add",
        has_alpha=True,
        has_mask=True,
        has_selection=True,
        product=True,
    )
    planes = [bytes(600), alpha.tobytes(), matte.tobytes(), selection.tobytes()]
    assert request.answer_lengths() == [200, 200]
    _, (mask, product) = cut_layer(request, planes, Engine(Store(tmp_path)), lambda _: None)
    alone = replace(request, product=False, apply_alpha=True, combine="replace")
    _, (channel,) = cut_layer(alone, planes, Engine(Store(tmp_path)), lambda _: None)
    assert bytes(product) == bytes(channel)
    assert bytes(product) != bytes(mask)
    assert np.frombuffer(product, np.uint8).any()


def test_nothing_found_is_said(tmp_path: Path) -> None:
    """An empty rough answer is no subject."""
    request = CutRequest(20, 10, 3, 8, {}, rough=True, has_mask=True)
    blobs = [bytes(600), bytes(200)]
    report, _ = cut_layer(request, blobs, Engine(Store(tmp_path)), lambda _: None)
    assert report["empty"]


def test_colours_come_in_the_depth_that_was_sent(tmp_path: Path) -> None:
    """With 16 bits, mask and colours have 16 bits, and full matte keeps the colours."""
    request = CutRequest(20, 10, 3, 16, {}, rough=True, has_mask=True, colours=True)
    pixels, mask = np.full((10, 20, 3), 40_000, np.uint16), np.full((10, 20), 65_535, np.uint16)
    _, (alpha, colours) = cut_layer(
        request, [pixels.tobytes(), mask.tobytes()], Engine(Store(tmp_path)), lambda _: None
    )
    assert bytes(alpha) == mask.tobytes()
    assert bytes(colours) == pixels.tobytes()


def test_settings_that_do_not_exist_are_named(tmp_path: Path) -> None:
    """A wrong key ends in a sentence with the key."""
    request = CutRequest(1, 1, 3, 8, {"modell": "u2net"})
    with pytest.raises(SettingsError, match="modell"):
        cut_layer(request, [b"abc"], Engine(Store(tmp_path)), lambda _: None)
