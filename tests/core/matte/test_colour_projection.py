"""Alpha by colour: where a pixel lies between the colours of both sides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mattebox.core.matte.colour_projection import LocalColours, colour_model, project
from mattebox.core.matte.enlarge import PLANES


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_mixture_of_both_sides_has_its_share_as_alpha(kind: type[Any], channels: int) -> None:
    """Pixels mixed of two clearly different colours give the share back; beyond the line it is 0 or 1."""
    random = np.random.default_rng(channels)
    size = (30, 40)
    subject = random.uniform(0.75, 1.0, (*size, channels)).astype(np.float32)
    behind = random.uniform(0.0, 0.2, (*size, channels)).astype(np.float32)
    share = random.uniform(-0.2, 1.2, size).astype(np.float32)
    mixed = np.clip(behind + share[..., None] * (subject - behind), 0, 1)
    top = np.iinfo(kind).max if kind is not np.float32 else 1
    pixels = np.rint(mixed * top).astype(kind) if top > 1 else mixed.astype(kind)
    model = colour_model(LocalColours(subject, behind, np.ones(size, bool)))
    assert model.shape[2] % PLANES == 0
    alpha = project(pixels, model)
    line = subject - behind
    exact = ((pixels / top - behind) * line).sum(axis=2) / ((line**2).sum(axis=2) + 0.005)
    np.testing.assert_allclose(alpha, np.clip(exact, 0, 1), atol=1e-4)
    inside = (share >= 0) & (share <= 1)
    assert np.abs(alpha - share)[inside].max() < 0.03
