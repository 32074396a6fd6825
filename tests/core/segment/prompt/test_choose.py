"""Which mask is meant, and what a further click may change."""

from __future__ import annotations

import numpy as np
import pytest

from mattebox.core.segment.prompt.choose import (
    blended,
    boxed,
    clicked_part,
    decided,
    disagreement,
    fills,
    is_whole,
    meant,
    merges,
    recall,
    soft_iou,
    surrounds,
    widest,
)
from mattebox.core.segment.prompt.further import anew, corrected, further, midst


def disc(x: int, y: int, radius: int, side: int = 64) -> np.ndarray:
    """A map (side, side) of 0 and 1 with a disc."""
    rows, columns = np.mgrid[0:side, 0:side]
    return ((columns - x) ** 2 + (rows - y) ** 2 <= radius**2).astype(np.float32)


def logits(level: np.ndarray) -> np.ndarray:
    """A map of 0 and 1 as a network's sure logits."""
    return ((level - 0.5) * 20).astype(np.float32)


WHOLE, PART, BESIDE = disc(30, 30, 16), disc(30, 22, 6), disc(52, 52, 8)


def test_the_mask_that_agrees_with_the_salient_part_is_meant() -> None:
    """Of a part, the whole and another thing the whole is taken where the salient map shows it."""
    assert meant([PART, BESIDE, WHOLE], WHOLE) == 2
    assert meant([WHOLE, PART], PART) == 1


def test_what_lies_behind_things_is_not_meant() -> None:
    """A mask around most of the border is taken only where the salient part that was clicked at is such."""
    table = 1 - np.maximum(WHOLE, BESIDE)
    assert surrounds(table)
    assert not surrounds(WHOLE)
    assert meant([BESIDE, table], BESIDE) == 0
    assert meant([BESIDE, table], table) == 1


def test_at_what_nothing_stands_out_the_widest_thing_is_meant() -> None:
    """The whole and not its part; where the widest lies behind things, what the network is surest of."""
    table = 1 - BESIDE
    assert widest([PART, PART, WHOLE], [0.9, 0.9, 0.5]) == 2
    assert widest([PART, WHOLE, table], [0.8, 0.9, 1.0]) == 1
    assert widest([table, table], [0.8, 0.9]) == 0


def test_the_whole_is_meant_where_the_salient_map_has_a_part() -> None:
    """A sure mask of the part and about as much again is the thing; a scene or a table around it is not."""
    part = np.where(np.arange(64) < 34, WHOLE, np.float32(0))
    assert is_whole(WHOLE, 0.95, part)
    assert not is_whole(WHOLE, 0.5, part)
    assert not is_whole(WHOLE, 0.95, WHOLE)
    assert not is_whole(WHOLE, 0.95, PART)
    assert not is_whole(1 - BESIDE, 0.95, WHOLE)


def test_the_salient_map_may_merge_several_things() -> None:
    """Of a part that is much more than the thing, with only a table around it, the thing alone is meant."""
    several, table = np.maximum(WHOLE, BESIDE), 1 - BESIDE
    assert merges([BESIDE, BESIDE, table], [0.8, 0.95, 0.7], several)
    assert not merges([BESIDE, BESIDE, table], [0.8, 0.8, 0.7], several)
    assert not merges([BESIDE, BESIDE, WHOLE], [0.8, 0.95, 0.7], several)
    assert not merges([WHOLE, WHOLE, table], [0.8, 0.95, 0.7], several)


def test_what_maps_share() -> None:
    """Equal maps share all, those that touch nowhere share nothing; recall asks for one of both alone."""
    assert soft_iou(WHOLE, WHOLE) == pytest.approx(1)
    assert soft_iou(WHOLE, BESIDE) == 0
    assert recall(WHOLE, PART) == pytest.approx(1)
    assert recall(PART, WHOLE) < 0.2


def test_a_click_takes_the_salient_part_under_it() -> None:
    """Of two parts the one that is clicked at stays, and outside of all parts there is none."""
    both = np.maximum(WHOLE, BESIDE)
    part = clicked_part(both, 52, 52)
    assert part is not None
    assert np.array_equal(part, BESIDE)
    assert clicked_part(both, 1, 1) is None


def test_thin_disagreement_is_none() -> None:
    """An edge that one map draws a pixel farther is no part that disagrees; a missing limb is."""
    assert disagreement(WHOLE, disc(30, 30, 17)).max() == 0
    assert disagreement(np.maximum(WHOLE, BESIDE), WHOLE)[52, 52] == pytest.approx(1)


def test_the_network_decides_where_whole_parts_disagree() -> None:
    """A part that the network alone sees is in; one that the salient map alone sees is out."""
    both = np.maximum(WHOLE, BESIDE)
    assert blended(both, WHOLE, decided(both, WHOLE))[52, 52] > 0.5
    assert blended(WHOLE, both, decided(WHOLE, both))[52, 52] < 0.5


def test_a_part_stays_that_the_salient_map_is_surer_of() -> None:
    """What the network but doubts and the salient map is sure of belongs to the thing."""
    thing, limb = disc(14, 30, 12), disc(44, 30, 18)
    both = np.maximum(thing, np.float32(0.95) * limb)
    doubts, denies = (np.maximum(thing, np.float32(likely) * limb) for likely in (0.3, 0.02))
    assert blended(doubts, both, decided(doubts, both))[30, 44] > 0.5
    assert blended(denies, both, decided(denies, both))[30, 44] < 0.5


def test_a_box_means_what_fills_it() -> None:
    """Of masks of which the network is equally sure the one that fills the box is meant."""
    cells = (14, 14, 47, 47)
    assert fills(WHOLE, cells) > 0.95
    assert fills(np.zeros_like(WHOLE), cells) == 0
    assert boxed([PART, WHOLE, BESIDE], [0.9, 0.9, 0.9], cells, None) == 1
    assert boxed([PART, WHOLE], [0.9, 0.9], cells, WHOLE) == 1


def test_the_odd_one_out_is_not_meant_by_a_box() -> None:
    """Of masks that fill a box alike the one that has most in common with the others is meant."""
    frame = WHOLE - disc(30, 30, 14)
    assert boxed([WHOLE, frame, WHOLE, WHOLE], [0.85, 1.0, 0.85, 0.85], (14, 14, 47, 47), PART) != 1


def test_a_further_answer_keeps_to_every_click() -> None:
    """A click inside adds what the surest answer has there, and nothing that was found is lost."""
    found = [logits(BESIDE), logits(np.maximum(WHOLE, BESIDE))]
    cells = [(30, 30, True), (52, 52, True)]
    correction = further(found, [0.5, 1.0], WHOLE, cells)
    assert correction is not None
    assert correction.level[52, 52] > 0.9
    assert correction.level[30, 30] > 0.9
    assert further([logits(WHOLE)], [1.0], WHOLE, cells) is None
    assert anew(found[:1], [1.0], cells) == -1
    assert anew(found, [1.0, 0.5], cells) == 1


def test_a_click_outside_is_near_the_middle_of_what_goes() -> None:
    """An answer that would take away much more than what is around the click is about something else."""
    before = np.maximum(WHOLE, BESIDE)
    cells = [(30, 30, True), (52, 52, False)]
    correction = further([logits(WHOLE)], [1.0], before, cells)
    assert correction is not None
    assert correction.level[52, 52] < 0.1
    assert further([logits(BESIDE)], [1.0], before, [(52, 52, True), (43, 30, False)]) is None
    assert midst(BESIDE, before, 30, 30) == 1
    assert midst(BESIDE, before, 45, 30) < 0.3


def test_a_correction_changes_the_part_at_its_click_alone() -> None:
    """What an answer gains at the click is taken over; what it changes elsewhere is not."""
    before = np.maximum(WHOLE, disc(8, 56, 5))
    answer = np.maximum(WHOLE, BESIDE)
    weight = corrected(answer, before, 52, 52, inside=True)
    assert weight[52, 52] == pytest.approx(1, abs=0.01)
    assert weight[56, 8] == 0
    assert weight[30, 30] == 0
    taken = corrected(answer, before, 8, 56, inside=False)
    assert taken[56, 8] > 0.9
    assert taken[52, 52] == 0
