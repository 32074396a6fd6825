"""The plan: which looks are taken, by what the answers say and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mattebox.core.segment.judge.judgement import Shared
from mattebox.core.segment.plan import Looker, is_doubtful, is_enough
from mattebox.core.segment.prediction import Prediction
from mattebox.core.segment.prompt.frame import Frame
from mattebox.core.segment.prompt.network import Answer, Encoded
from mattebox.core.segment.segmentation import Segmentation
from mattebox.core.segment.sure import half_seen, is_sure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Map = NDArray[np.float32]
    Bytes = NDArray[np.uint8]

SIDE = 256
THING, BESIDE = (80, 60, 160, 200), (164, 90, 200, 150)
RED, BLUE = (200, 40, 30), (30, 40, 200)


def _map(*boxes: tuple[int, int, int, int], inside: float = 0.99) -> Map:
    level = np.full((SIDE, SIDE), 0.005, np.float32)
    for left, top, right, bottom in boxes:
        level[top:bottom, left:right] = inside
    return level


def _view(*boxes: tuple[int, int, int, int]) -> Bytes:
    view = np.full((SIDE, SIDE, 3), BLUE, np.uint8)
    for left, top, right, bottom in boxes:
        view[top:bottom, left:right] = RED
    return view


class Judge:
    """Stands where a promptable network stands: each prompt of it is answered with the next of some maps."""

    def __init__(self, *masks: Map) -> None:
        self.masks, self.encoded, self.asked = masks, 0, 0

    def encode(self, view: Bytes, *, padded: bool) -> Encoded:
        """Nothing but the view's frame."""
        self.encoded += 1
        return Encoded(np.zeros((1, 256, 64, 64), np.float32), Frame(*view.shape[:2]))

    def answer(self, encoded: Encoded, prompts: Sequence[Any]) -> list[Answer]:
        """A map for each prompt, four times, as logits."""
        del encoded
        answers = []
        for _ in prompts:
            mask = np.clip(self.masks[self.asked % len(self.masks)], 1e-3, 1 - 1e-3)
            self.asked += 1
            four = np.stack([np.log(mask / (1 - mask))] * 4)
            answers.append(Answer(four, np.ones(4, np.float32), four))
        return answers


def _names(network: Any, view: Bytes, judge: Judge | None = None) -> tuple[str, ...]:
    seen = Looker([network], judge).look(view, "balanced")  # type: ignore[arg-type]  # answers as one
    return tuple(prediction.augmentation for prediction in seen.segmentation.predictions)


def test_a_sure_look_stands_alone(fake_network: Any) -> None:
    """A decided answer whose two sides differ in colour needs no second look and no judge."""
    judge = Judge(_map(THING))
    network = fake_network(lambda _: _map(THING))
    assert _names(network, _view(THING), judge) == ("whole",)
    assert not judge.encoded
    assert Looker([network], judge).look(_view(THING), "balanced").encoded is None  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    ("level", "view"),
    [
        (_map(THING), _view(THING, BESIDE)),  # what it left out has the subject's colours
        (_map(THING, BESIDE), _view(THING)),  # what it took has the background's
        (np.maximum(_map(THING), _map(BESIDE, inside=0.4)), _view(THING)),  # half seen
        (_map(THING, inside=0.9), _view(THING)),  # undecided
        (_map(), _view(THING)),  # nothing
    ],
)
def test_a_look_that_colours_or_its_own_levels_contradict_is_not_sure(level: Map, view: Bytes) -> None:
    """Each of the conditions alone is enough to ask on."""
    assert is_sure(_map(THING), _view(THING))
    assert not is_sure(level, view)


def test_what_an_even_backdrop_shows_through_needs_no_judge() -> None:
    """Backdrop inside of a ring is no doubt where it goes later; a part left out beside it is."""
    rng = np.random.default_rng(0)
    through = _view(THING)
    through[100:160, 105:135] = BLUE
    view = np.clip(through + rng.normal(0, 1, through.shape), 0, 255).astype(np.uint8)
    assert not is_sure(_map(THING), view)
    assert is_sure(_map(THING), view, through=True)
    view[BESIDE[1] : BESIDE[3], BESIDE[0] : BESIDE[2]] = RED
    assert not is_sure(_map(THING), view, through=True)
    uneven = np.where(through == np.asarray(BLUE), rng.integers(0, 90, view.shape), through)
    assert not is_sure(_map(THING), uneven.astype(np.uint8), through=True)


def test_a_judge_that_agrees_takes_the_place_of_the_mirror(fake_network: Any) -> None:
    """Where the judge's opinions share with each other and with the look, no second look is taken."""
    judge = Judge(_map(THING))
    assert _names(fake_network(lambda _: _map(THING)), _view(), judge) == ("whole",)
    assert judge.encoded == 1


def test_a_judge_that_disagrees_brings_all_looks(fake_network: Any) -> None:
    """Where it sees another thing the mirrored and the closer look are taken; the view is encoded once."""
    judge = Judge(_map(THING), _map(THING, BESIDE))
    names = _names(fake_network(lambda seen: _crop(_map(THING), seen)), _view(), judge)
    assert names == ("whole", "mirrored", "box")
    assert judge.encoded == 1


def test_of_looks_that_disagree_the_judge_is_not_asked_between(fake_network: Any) -> None:
    """Where whole and mirrored look differ the closer one is taken before the judge hears of them."""
    lopsided = np.maximum(_map((78, 60, 178, 200)), _map((20, 60, 60, 200), inside=0.9))
    judge = Judge(_map((78, 60, 178, 200)), lopsided)
    names = _names(fake_network(lambda seen: _crop(lopsided, seen)), _view(), judge)
    assert names == ("whole", "mirrored", "box")
    assert judge.asked == 2 * 4


def _crop(level: Map, seen: Bytes) -> Map:
    """The map's answer for a look, which a closer one cuts out."""
    return level if seen.shape[:2] == level.shape else np.full(seen.shape[:2], 0.99, np.float32)


def test_a_look_at_another_thing_is_set_aside(fake_network: Any) -> None:
    """Where the mirrored look turns to something that the judge does not see, the first one stands."""
    thing, other = (78, 60, 178, 200), (10, 10, 240, 40)
    answers = iter([_map(thing, inside=0.8), _map(other)])
    first = Judge(_map((70, 60, 178, 215)), _map(thing))
    assert _names(fake_network(lambda _: next(answers)), _view(), first) == ("whole",)


def test_without_a_judge_two_looks_that_agree_are_enough(fake_network: Any) -> None:
    """The closer look is left out where whole and mirrored look say the same, and taken where they do not."""
    symmetric = _map((78, 60, 178, 200))
    assert _names(fake_network(lambda _: symmetric), _view()) == ("whole", "mirrored")

    def fickle(seen: Bytes) -> Map:
        return _crop(_map(THING), seen)

    assert _names(fake_network(fickle), _view()) == ("whole", "mirrored", "box")


def test_a_first_look_that_finds_nothing_is_no_last_word(fake_network: Any) -> None:
    """The mirrored look is taken then; where it finds nothing too there is nothing to judge."""
    judge = Judge(_map(THING))
    assert _names(fake_network(lambda _: _map()), _view(THING), judge) == ("whole", "mirrored")
    assert not judge.encoded


@pytest.mark.parametrize(("quality", "names"), [("fast", ("whole",)), ("best", ("whole", "mirrored", "box"))])
def test_only_balanced_spares_looks(fake_network: Any, quality: Any, names: tuple[str, ...]) -> None:
    """`fast` takes one look and `best` all, however sure the first is."""
    network = fake_network(lambda seen: _crop(_map(THING), seen))
    found = Looker([network]).look(_view(THING), quality).segmentation
    assert tuple(prediction.augmentation for prediction in found.predictions) == names


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_equal_photos_get_equal_looks(seed: int) -> None:
    """A view and an answer of any content are sure or not whenever they are asked, and so is their copy."""
    rng = np.random.default_rng(seed)
    view = rng.integers(0, 256, (40, 60, 3), np.uint8)
    level = rng.random((40, 60), np.float32)
    assert is_sure(level, view) == is_sure(level.copy(), view.copy())


@settings(deadline=None, max_examples=50)
@given(*[st.floats(0, 1)] * 3)
def test_more_in_common_never_needs_more_looks(agreement: float, unity: float, seen: float) -> None:
    """What is enough, or no doubt, stays so with more agreement and less that is half seen."""
    shared = Shared(agreement, unity, seen)
    better = Shared(min(1.0, agreement + 0.1), min(1.0, unity + 0.1), seen / 2)
    assert is_enough(shared) <= is_enough(better)
    looks = tuple(Prediction("fake", name, _map(THING), (0, 0, SIDE, SIDE)) for name in ("whole", "mirrored"))
    found = Segmentation(_map(THING), looks, 1.0)
    if agreement > 0:
        assert is_doubtful(found, better) <= is_doubtful(found, shared)


def test_half_seen_counts_what_is_wider_than_an_edge() -> None:
    """A soft rim of a pixel is none; a whole part is, by its share of the subject."""
    rim = _map(THING)
    rim[THING[1] : THING[3], THING[2]] = 0.5
    assert half_seen(rim) == 0
    ghost = np.maximum(_map(THING), _map(BESIDE, inside=0.4))
    assert half_seen(ghost) == pytest.approx(36 * 60 / (80 * 140), rel=0.05)
