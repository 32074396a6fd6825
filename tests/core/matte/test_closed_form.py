"""Screened closed-form matting: the paper's own system, solved; and what of it is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mattebox.core.matte import closed_form as module
from mattebox.core.matte.closed_form import closed_form
from mattebox.core.matte.colour_projection import LocalColours
from mattebox.core.matte.evidence import accept_solved, data_weight, haze_mask, stretched
from mattebox.core.matte.refine import refine_matte
from mattebox.core.parallel import lanes, limit_lanes
from mattebox.core.photo import Photo

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Map = NDArray[np.float32]
    Discs = Callable[..., Map]

SIDE = 16


def _sides(like: Map, contrast: float = 1.0) -> LocalColours:
    """A subject of one gray before a black background, known everywhere."""
    gray = np.full((*like.shape, 3), contrast, np.float32)
    return LocalColours(gray, np.zeros_like(gray), np.ones(like.shape, bool))


def laplacian(picture: Map) -> NDArray[np.float64]:
    """The matting Laplacian of all whole 3 x 3 windows, entry by entry (Levin et al., equation 12)."""
    height, width, channels = picture.shape
    matrix = np.zeros((height * width, height * width))
    numbers = np.arange(height * width).reshape(height, width)
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            pixels = picture[y - 1 : y + 2, x - 1 : x + 2].reshape(9, channels).astype(np.float64)
            apart = pixels - pixels.mean(axis=0)
            covariance = apart.T @ apart / 9 + np.eye(channels) * module._STEADY / 9
            window = numbers[y - 1 : y + 2, x - 1 : x + 2].ravel()
            matrix[np.ix_(window, window)] += (
                np.eye(9) - (1 + apart @ np.linalg.solve(covariance, apart.T)) / 9
            )
    return matrix


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_it_solves_the_papers_system(monkeypatch: pytest.MonkeyPatch, channels: int) -> None:
    """After enough steps the answer is that of the matrix, built entry by entry and solved directly."""
    random = np.random.default_rng(channels)
    picture = random.random((SIDE, SIDE, channels)).astype(np.float32)
    level = cv2.GaussianBlur(random.random((SIDE, SIDE)).astype(np.float32), (0, 0), 1.5)
    unknown = np.zeros((SIDE, SIDE), bool)
    unknown[3:-3, 3:-3] = random.random((SIDE - 6, SIDE - 6)) < 0.8
    monkeypatch.setattr(module, "_STEPS", 300)
    screen = random.uniform(0.01, 0.5, (SIDE, SIDE)).astype(np.float32)
    found = closed_form(picture, level, unknown, screen)
    free, matrix, start = unknown.ravel(), laplacian(picture), level.ravel().astype(np.float64)
    keep = screen.ravel()[free].astype(np.float64)
    system = matrix[np.ix_(free, free)] + np.diag(keep)
    right = keep * start[free] - matrix[np.ix_(free, ~free)] @ start[~free]
    expected = start.copy()
    expected[free] = np.linalg.solve(system, right)
    np.testing.assert_allclose(found.ravel(), np.clip(expected, 0, 1), atol=2e-3)


def test_colours_on_a_line_tell_alpha(discs: Discs) -> None:
    """Of two colours mixed, a blurred matte becomes the one that was mixed, but for a fifth of its error."""
    truth = cv2.GaussianBlur(discs((80, 80), (40, 40, 22)), (0, 0), 0.7)
    picture = truth[..., None] * np.float32([0.9, 0.5, 0.1]) + (1 - truth[..., None]) * np.float32(
        [0.1, 0.3, 0.6]
    )
    coarse = cv2.GaussianBlur(truth, (0, 0), 3)
    unknown = (coarse > 0.01) & (coarse < 0.99)
    found = closed_form(np.asarray(picture, np.float32), coarse, unknown, np.full_like(coarse, 0.005))
    assert np.abs(found - truth).mean() < 0.2 * np.abs(coarse - truth).mean()


def test_a_smaller_copy_carries_what_is_known_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a wide unknown stretch in one colour, held weakly, it leaves a third of the error at most."""
    picture = np.full((96, 160, 3), 0.4, np.float32)
    level = np.full((96, 160), 0.6, np.float32)
    unknown = np.zeros((96, 160), bool)
    unknown[8:-8, 8:-8] = True
    level[~unknown] = 1
    weak = np.full_like(level, 1e-6)
    with_copy = closed_form(picture, level, unknown, weak)
    monkeypatch.setattr(module, "_COPIES", 0)
    without = closed_form(picture, level, unknown, weak)
    assert np.abs(with_copy - 1).mean() < np.abs(without - 1).mean() / 3


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(30, 70), st.integers(30, 70), st.integers(0, 6))
def test_a_band_costs_what_it_covers(seed: int, height: int, width: int, reach: int) -> None:
    """Solved in its own rows and columns, a band anywhere is what the whole picture's solution has there."""
    random = np.random.default_rng(seed)
    picture = random.random((height, width, 3)).astype(np.float32)
    level = cv2.GaussianBlur(random.random((height, width)).astype(np.float32), (0, 0), 2)
    spot = np.zeros((height, width), np.uint8)
    first, last = (tuple(int(random.integers(0, length)) for length in (width, height)) for _ in range(2))
    unknown = np.asarray(cv2.line(spot, first, last, 1, 2 * reach + 1)) > 0
    screen = random.uniform(0.005, 0.3, (height, width)).astype(np.float32)
    found = closed_form(picture, level, unknown, screen)
    whole = level + module._change(picture, level, unknown, screen, module._COPIES)
    np.testing.assert_allclose(found, np.clip(whole, 0, 1), atol=2e-4)
    assert np.array_equal(found[~unknown], level[~unknown])


def test_a_hedge_is_dropped_where_the_map_is_finer_than_the_network_saw() -> None:
    """Nearly in and nearly out become in and out in a finer map; in one that the network saw all stands."""
    hedged = np.array([[0.0, 0.05, 0.5, 0.93, 1.0]], np.float32)
    assert np.array_equal(stretched(hedged, 1.0), hedged)
    sure = stretched(hedged, 2.0)[0]
    assert sure[1] == 0
    assert sure[3] == 1
    assert abs(sure[2] - 0.5) < 0.02


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 4]))
def test_what_is_known_stands_and_all_is_alpha(seed: int, channels: int) -> None:
    """Whatever the picture, known pixels keep their bytes and the others lie within 0 and 1."""
    random = np.random.default_rng(seed)
    picture = (random.random((12, 15, channels)) * (random.random() < 0.8)).astype(np.float32)
    level = random.random((12, 15)).astype(np.float32)
    unknown = random.random((12, 15)) < random.random()
    found = closed_form(picture, level, unknown, np.full_like(level, 0.1))
    assert np.array_equal(found[~unknown], level[~unknown])
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1


def test_nothing_unknown_is_nothing_to_do() -> None:
    """Without unknown pixels the matte itself comes back."""
    level = np.full((5, 6), 0.3, np.float32)
    assert closed_form(np.zeros((5, 6, 3), np.float32), level, np.zeros((5, 6), bool), level) is level


def test_a_finer_edge_is_believed_and_a_smear_is_not(discs: Discs) -> None:
    """A solved matte replaces a soft edge where it is finer; a softer one changes it by a tenth at most."""
    disc = discs((120, 120), (60, 60, 35))
    soft, softer = (np.asarray(cv2.GaussianBlur(disc, (0, 0), sigma), np.float32) for sigma in (4, 9))
    near = (soft > 0.1) & (soft < 0.9)
    assert (
        np.abs(accept_solved(soft, disc, _sides(soft), 4.0) - disc)[near].mean()
        < 0.1 * np.abs(soft - disc)[near].mean()
    )
    assert (
        np.abs(accept_solved(soft, softer, _sides(soft), 4.0) - soft)[near].mean()
        < 0.1 * np.abs(softer - soft)[near].mean()
    )


def test_haze_away_from_edges_goes_where_it_is_surer(discs: Discs) -> None:
    """Inside at .9 a solver's 1 is taken, and its .7 is not; the edge beside it is no haze."""
    disc = discs((160, 160), (80, 80, 60))
    dull = np.asarray(disc * np.float32(0.9), np.float32)
    inner = discs((160, 160), (80, 80, 45)) > 0.99
    assert haze_mask(dull, 2.0)[inner].all()
    soft = np.asarray(cv2.GaussianBlur(disc, (0, 0), 6), np.float32)
    assert not haze_mask(soft, 2.0)[(soft > 0.3) & (soft < 0.7)].any()
    assert (accept_solved(dull, disc, _sides(dull), 2.0)[inner] > 0.999).all()
    doubt = np.where(inner, np.float32(0.7), dull)
    deep = discs((160, 160), (80, 80, 30)) > 0.99
    assert np.array_equal(accept_solved(dull, doubt, _sides(dull), 2.0)[deep], dull[deep])


def test_like_colours_let_nothing_change(discs: Discs) -> None:
    """Where both sides have one colour, or one was seen nowhere near, a finer edge is not believed."""
    disc = discs((120, 120), (60, 60, 35))
    soft = np.asarray(cv2.GaussianBlur(disc, (0, 0), 4), np.float32)
    unseen = LocalColours(_sides(soft).subject, _sides(soft).background, np.zeros(soft.shape, bool))
    assert np.array_equal(accept_solved(soft, disc, _sides(soft, contrast=0.0), 4.0), soft)
    assert np.array_equal(accept_solved(soft, disc, unseen, 4.0), soft)


def test_strands_are_believed_where_they_were_a_haze() -> None:
    """A haze that the solver resolves into strands becomes strands."""
    across = np.arange(120, dtype=np.float32)
    haze = np.full((120, 120), 0.5, np.float32)
    strands = np.asarray(0.5 + 0.35 * np.sin(across * 1.3) * np.ones((120, 1)), np.float32)
    inner = (slice(30, -30), slice(30, -30))
    assert np.abs(accept_solved(haze, strands, _sides(haze), 2.0) - strands)[inner].mean() < 0.02


def test_a_solver_is_held_where_colours_know_little(discs: Discs) -> None:
    """The screen is least where both sides differ and the network's pixels were large, and never nothing."""
    like = discs((60, 60), (30, 30, 15))
    unseen = LocalColours(_sides(like).subject, _sides(like).background, np.zeros(like.shape, bool))
    apart, alike, blind = (
        data_weight(sides, 2.0)[0, 0] for sides in (_sides(like), _sides(like, 0.0), unseen)
    )
    assert 0 < apart < 0.1 * alike
    assert alike == blind
    assert data_weight(_sides(like), 4.0)[0, 0] < apart < data_weight(_sides(like), 1.0)[0, 0]


def test_a_crisp_edge_is_not_asked_about(discs: Discs) -> None:
    """An edge within a pixel of the network's stands, even against a finer one."""
    disc = discs((120, 120), (60, 60, 35))
    crisp = np.asarray(cv2.GaussianBlur(disc, (0, 0), 0.4), np.float32)
    assert np.array_equal(accept_solved(crisp, discs((120, 120), (60, 60, 33)), _sides(crisp), 4.0), crisp)


@pytest.mark.slow
def test_lanes_change_no_bit(discs: Discs) -> None:
    """A refined matte has the same bytes on one core and on three."""
    truth = discs((400, 500), (250, 200, 130))
    random = np.random.default_rng(3)
    pixels = (truth[..., None] * 120 + random.integers(0, 90, (400, 500, 3))).astype(np.uint8)
    answer = np.asarray(cv2.GaussianBlur(truth, (0, 0), 5), np.float32)
    usual, mattes = lanes(), []
    try:
        for count in (1, 3):
            limit_lanes(count)
            mattes.append(refine_matte(Photo(pixels, "rgb"), answer, "auto", 2.5))
    finally:
        limit_lanes(usual)
    assert np.array_equal(*mattes)
