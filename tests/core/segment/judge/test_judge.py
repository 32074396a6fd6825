"""The judge of parts: what it asks, what it decides, and that it changes nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mattebox.core.segment.judge.colours import colour_odds
from mattebox.core.segment.judge.judge import chance_of, judge_segmentation, judged
from mattebox.core.segment.judge.opinions import main_parts, opinions
from mattebox.core.segment.judge.parts import FACTS, Facts, Part, disputed
from mattebox.core.segment.judge.rule import shipped_rule
from mattebox.core.segment.prediction import Prediction
from mattebox.core.segment.prompt.frame import Frame
from mattebox.core.segment.prompt.network import CORNERS, Answer, Encoded
from mattebox.core.segment.segmentation import Segmentation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mattebox.core.segment.prompt.network import Mark

    Map = NDArray[np.float32]

FRAME = Frame(256, 256)
ENCODED = Encoded(np.zeros((1, 256, 64, 64), np.float32), FRAME)
RED, BLUE = (200, 30, 30), (30, 30, 200)


def _map(*boxes: tuple[int, int, int, int], inside: float = 0.98, outside: float = 0.02) -> Map:
    """A map of 256 cells a side that is likely in boxes (left, top, right, bottom)."""
    level = np.full((256, 256), outside, np.float32)
    for left, top, right, bottom in boxes:
        level[top:bottom, left:right] = inside
    return level


def _picture(*boxes: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Red in boxes, and blue around them."""
    picture = np.full((256, 256, 3), BLUE, np.uint8)
    for left, top, right, bottom in boxes:
        picture[top:bottom, left:right] = RED
    return picture


class Answering:
    """Stands where a promptable network stands: each prompt is answered with the same mask."""

    def __init__(self, mask: Map) -> None:
        self.mask = mask
        self.asked: list[Sequence[Mark]] = []

    def answer(self, encoded: Encoded, prompts: Sequence[Sequence[Mark]]) -> list[Answer]:
        """The mask four times, as logits."""
        del encoded
        self.asked += prompts
        logits = np.log(self.mask / (1 - self.mask))
        four = np.stack([logits] * 4)
        return [Answer(four, np.ones(4, np.float32), four) for _ in prompts]


BODY, ARM, OTHER = (60, 60, 160, 220), (160, 100, 220, 140), (10, 10, 50, 50)


def _segmentation(level: Map) -> Segmentation:
    looks = tuple(Prediction("fake", name, level, (0, 0, 256, 256)) for name in ("whole", "mirrored"))
    return Segmentation(level, looks, 1.0)


def _judged(
    salient: Map, vote: Map, picture: NDArray[np.uint8], within: tuple[int, int, int, int] | None = None
) -> Segmentation:
    network = Answering(vote)
    return judge_segmentation(network, ENCODED, picture, _segmentation(salient), within=within)  # type: ignore[arg-type]  # answers as one


def test_an_arm_that_was_missed_is_let_in_as_a_whole() -> None:
    """What the judge is sure of, hangs together with the subject and has its colours becomes opaque."""
    found = _judged(_map(BODY), _map(BODY, ARM), _picture(BODY, ARM)).probability
    assert found[105:135, 162:215].min() > 0.9
    assert found[105:135, 226:].max() < 0.1


def test_a_ghost_of_another_thing_goes_as_a_whole() -> None:
    """What is half seen, and of the background's colours, is absent where the judge does not see it."""
    salient = np.maximum(_map(BODY), _map(OTHER, inside=0.6))
    found = _judged(salient, _map(BODY), _picture(BODY)).probability
    assert found[14:46, 14:46].max() < 0.1


def test_what_is_judged_keeps_the_map_it_was() -> None:
    """The salient map stays known beside the judged one."""
    salient = _map(BODY)
    found = _judged(salient, _map(BODY, ARM), _picture(BODY, ARM))
    assert found.salient is salient
    assert found.judgement is not None
    assert 0 < found.judgement.agreement < 1


@pytest.mark.parametrize("level", [_map(), _map((3, 3, 5, 5))])
def test_without_a_subject_nothing_is_asked(level: Map) -> None:
    """A map with nothing in it, or next to nothing, has no box to ask about."""
    network = Answering(_map(BODY))
    segmentation = _segmentation(level)
    assert judge_segmentation(network, ENCODED, _picture(), segmentation) is segmentation  # type: ignore[arg-type]  # answers as one
    assert not network.asked


def test_nothing_outside_the_searched_box_is_let_in() -> None:
    """A box that a person drew binds the judge too."""
    found = _judged(_map(BODY), _map(BODY, ARM), _picture(BODY, ARM), (0, 0, 160, 256)).probability
    assert found[:, 164:].max() < 0.1


def test_prompts_are_boxes_around_the_parts_and_points_in_them() -> None:
    """Boxes hold the main parts, the wider one more; the points lie in what is sure."""
    network = Answering(_map(BODY))
    votes = opinions(network, ENCODED, _map(BODY))  # type: ignore[arg-type]  # answers as one
    assert len(votes) == len(network.asked) == 4
    tight, wide, _, points = network.asked
    assert [mark[2] for mark in tight] == list(CORNERS)
    assert [mark[:2] for mark in tight] == [(240, 240), (640, 880)] or tight[0][
        0
    ] * FRAME.scale == pytest.approx(4 * 60)
    assert wide[0][0] < tight[0][0]
    assert wide[1][1] > tight[1][1]
    for x, y, _ in points[:-1]:
        assert BODY[0] <= x < BODY[2]
        assert BODY[1] <= y < BODY[3]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_what_all_agree_about_stays_to_the_last_bit(seed: int) -> None:
    """Where no whole part is disputed the judged map is the salient one."""
    rng = np.random.default_rng(seed)
    salient = _map(BODY) + rng.uniform(-0.01, 0.01, (256, 256)).astype(np.float32)
    found = _judged(salient, _map(BODY), _picture(BODY))
    assert np.array_equal(found.probability, salient)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.integers(0, 200), st.integers(6, 50), st.integers(6, 50)),
        max_size=3,
    ),
    st.lists(
        st.tuples(st.integers(0, 200), st.integers(0, 200), st.integers(6, 50), st.integers(6, 50)),
        max_size=3,
    ),
)
def test_only_disputed_parts_and_their_rims_change(
    found: list[tuple[int, int, int, int]], told: list[tuple[int, int, int, int]]
) -> None:
    """Away from what is disputed no level changes, all stay in 0..1, and equal input has equal output."""
    salient = _map(BODY, *((x, y, x + w, y + h) for x, y, w, h in found))
    vote = _map(BODY, *((x, y, x + w, y + h) for x, y, w, h in told))
    first, second = (_judged(salient, vote, _picture(BODY)).probability for _ in range(2))
    assert np.array_equal(first, second)
    assert first.min() >= 0
    assert first.max() <= 1
    disputed_cells = (salient >= 0.5) != (vote >= 0.5)
    near = cv2.dilate(disputed_cells.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
    assert np.array_equal(first[~near], salient[~near])


def test_a_line_is_no_part() -> None:
    """An edge that one of two maps draws wider is not disputed, for it is not wider than an edge."""
    wider = _map((BODY[0] - 1, BODY[1], BODY[2] + 1, BODY[3]))
    assert disputed(_map(BODY), [wider], _picture(BODY)) == []


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(-4, 4), min_size=len(FACTS), max_size=len(FACTS)), st.floats(0.1, 4))
def test_the_more_opinions_say_so_the_more_a_part_belongs(values: list[float], more: float) -> None:
    """The shipped rule is a probability, and rises with what opinions and colours say for the subject."""
    facts = dict(zip(FACTS, values, strict=True))
    before = shipped_rule().belongs(Facts(**facts))
    assert 0 <= before <= 1
    for name in ("votes", "colour"):
        after = shipped_rule().belongs(Facts(**{**facts, name: facts[name] + more}))
        assert after >= before


@settings(deadline=None, max_examples=25)
@given(st.floats(0.3, 0.7), st.floats(0.3, 0.7))
def test_a_part_is_named_with_its_box_where_the_rule_is_not_sure(found: float, told: float) -> None:
    """A box that holds the part is told where its chance is near one half, and none where it is not."""
    salient, vote = (
        np.maximum(_map(BODY), _map(ARM, inside=found)),
        np.maximum(_map(BODY), _map(ARM, inside=told)),
    )
    parts = disputed(salient, [vote, _map(BODY)], _picture(BODY))
    votes = [vote, _map(BODY)]
    judgement = judged(salient, salient, votes, parts, FRAME)
    unsure = [part for part in parts if 0.3 < chance_of(shipped_rule(), part, salient, votes) < 0.7]
    assert len(judgement.undecided) == len(unsure)
    assert (judgement.doubt > 0) == bool(unsure)
    for left, _, right, _ in judgement.undecided:
        assert left <= ARM[0] + 1
        assert right >= ARM[2] - 1


@pytest.mark.parametrize("word", [0.55, 0.6])
def test_a_faint_lone_opinion_lets_nothing_in(word: float) -> None:
    """What map and other opinions deny stays out where one says so faintly, also in the subject's colours."""
    faint = np.maximum(_map(BODY), _map(OTHER, inside=word))
    salient, votes = _map(BODY), [_map(BODY), _map(BODY), _map(BODY), faint]
    parts = disputed(salient, votes, _picture(BODY, OTHER))
    assert parts
    judgement = judged(salient, salient, votes, parts, FRAME)
    assert judgement.probability[14:46, 14:46].max() < 0.1
    assert judgement.undecided == ()


def test_a_firm_opinion_needs_the_colours_with_it() -> None:
    """A part that one opinion is sure of goes in with the subject's colours, and stays out with others."""
    salient, votes = _map(BODY), [_map(BODY, OTHER), _map(BODY), _map(BODY), _map(BODY)]
    for picture, belongs in ((_picture(BODY, OTHER), True), (_picture(BODY), False)):
        (part,) = disputed(salient, votes, picture)
        assert (chance_of(shipped_rule(), part, salient, votes) > 0.5) == belongs


LEVELS = st.floats(0.02, 0.98)
NECK = (160, 100, 172, 140)


@settings(deadline=None, max_examples=60)
@given(LEVELS, st.lists(LEVELS, min_size=4, max_size=4), st.integers(0, 1 << 30))
def test_a_hundredth_of_noise_moves_no_decision_that_has_a_margin(
    found: float, told: list[float], seed: int
) -> None:
    """The decided parts stay as they are unless a chance was close to one half, which moves a little too.

    Map and opinions differ by up to .01: the chance by .15 at most; and where it was further than that from
    one half, the decided subject by a hundredth of itself at most.
    """
    noise = np.random.default_rng(seed)
    exact = [np.maximum(_map(BODY), _map(ARM, inside=level)) for level in (found, *told)]
    moved = [np.float32(noise.uniform(-0.01, 0.01)) + level for level in exact]
    both = []
    mask = np.asarray(_map(ARM) > 0.5)
    mask[:, : BODY[2]] = False
    for salient, *votes in (exact, moved):
        parts = disputed(salient, votes, _picture(BODY, ARM))
        odds = float(np.mean([np.log(level[mask].mean() / (1 - level[mask].mean())) for level in votes]))
        chance = chance_of(shipped_rule(), Part(mask, Facts(odds, 1.0)), salient, votes)
        both.append((chance, judged(salient, salient, votes, parts, FRAME).probability))
    (before, first), (after, second) = both
    assert abs(before - after) <= 0.15
    if abs(before - 0.5) > 0.15:
        assert np.count_nonzero((first >= 0.5) != (second >= 0.5)) <= 0.01 * np.count_nonzero(first >= 0.5)


@settings(deadline=None, max_examples=25)
@given(st.floats(0.03, 0.97))
def test_one_opinion_of_four_counts_a_quarter(word: float) -> None:
    """What is known of a part moves by a quarter of what one opinion does, however far that turns round."""
    lone = np.maximum(_map(BODY), _map(OTHER, inside=word))
    votes = [_map(BODY), _map(BODY), _map(BODY), lone]
    (part,) = disputed(np.maximum(_map(BODY), _map(OTHER)), votes, _picture(BODY))
    deny, say = (float(np.log(level / (1 - level))) for level in (0.03, word))
    assert part.facts.votes == pytest.approx(deny + (say - deny) / 4, abs=1e-3)


@settings(deadline=None, max_examples=25)
@given(st.floats(0.2, 0.49), st.floats(-0.01, 0.01))
def test_what_is_asked_about_holds_all_that_is_half_seen(level: float, noise: float) -> None:
    """A box around a subject with a neck that is half seen holds the neck, a hundredth more or less."""
    network = Answering(_map(BODY))
    opinions(network, ENCODED, np.maximum(_map(BODY), _map(NECK, inside=level + noise)))  # type: ignore[arg-type]  # answers as one
    assert max(marks[1][0] for marks in network.asked if marks[1][2] == CORNERS[1]) >= 4 * NECK[2] * (
        FRAME.height / 1024
    )


def test_colours_tell_the_subject_from_what_is_around() -> None:
    """A subject's colour speaks for it, the background's against it, and one never seen for neither."""
    picture = _picture(BODY)
    picture[:4, :4] = (30, 200, 30)
    inside = np.zeros((256, 256), bool)
    inside[60:220, 60:160] = True
    outside = ~inside
    outside[:4, :4] = False
    odds = colour_odds(picture, inside, outside)
    assert odds[100, 100] > 1
    assert odds[10, 100] < -1
    assert abs(float(odds[0, 0])) < 0.5
    assert not colour_odds(picture, inside, np.zeros_like(inside)).any()


def test_small_parts_do_not_stretch_the_box() -> None:
    """A part below a twentieth of the largest is none of the main parts."""
    mask = _map(BODY, (2, 2, 6, 6)) > 0.5
    assert np.array_equal(main_parts(mask), _map(BODY) > 0.5)
