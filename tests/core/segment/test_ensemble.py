"""An ensemble of networks: whose predictions count, and what needs a second opinion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from mattebox.core.segment.segmentation import segment

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Map = NDArray[np.float32]
    Bytes = NDArray[np.uint8]
    Discs = Callable[..., Map]

SIZE = (120, 160)
AUGMENTATIONS = ["whole", "mirrored", "box", "box mirrored", "wide box", "wide box mirrored"]


def _bright(view: Bytes) -> Map:
    return view[..., 0].astype(np.float32) / 255


def _green(view: Bytes) -> Map:
    return view[..., 1].astype(np.float32) / 255


def _view(red: Map, green: Map | None = None) -> Bytes:
    """What `_bright` finds in the first channel, and what `_green` finds in the second."""
    planes = [red, red if green is None else green, red]
    return (np.dstack(planes) * 255).astype(np.uint8)


def test_every_network_goes_closer_twice_and_mirrored(fake_network: Any, discs: Discs) -> None:
    """Two networks that agree look twelve times at a small subject, and their answer is theirs."""
    view = _view(discs(SIZE, (60, 60, 12)))
    networks = [fake_network(_bright, "one"), fake_network(_bright, "two")]
    segmentation = segment(view, networks, "best")
    assert [
        prediction.augmentation for prediction in segmentation.predictions if prediction.network == "two"
    ] == AUGMENTATIONS
    assert len(segmentation.names) == 2 * len(AUGMENTATIONS)
    assert networks[0].seen[2].shape < networks[0].seen[4].shape < view.shape
    np.testing.assert_allclose(segmentation.probability, _bright(view), atol=2e-3)


def test_a_subject_that_fills_the_frame_is_seen_twice_by_each(fake_network: Any, discs: Discs) -> None:
    """Where a box would show nothing new none is looked at."""
    segmentation = segment(
        _view(discs(SIZE, (80, 60, 78))), [fake_network(_bright, "one"), fake_network(_bright, "two")], "best"
    )
    assert [prediction.augmentation for prediction in segmentation.predictions] == ["whole", "mirrored"] * 2


def test_a_part_that_one_network_alone_sees_is_left_out(fake_network: Any, discs: Discs) -> None:
    """Beside the subject that both find, what only one finds goes, whole with its soft rim."""
    subject, other = (60, 60, 25), (130, 30, 12)
    view = _view(discs(SIZE, subject, other), discs(SIZE, subject))
    segmentation = segment(view, [fake_network(_bright, "generous"), fake_network(_green, "strict")], "best")
    assert segmentation.probability[60, 60] > 0.99
    assert segmentation.probability[:45, 115:145].max() < 0.01


def test_what_is_left_out_leaves_no_ghost(fake_network: Any, discs: Discs) -> None:
    """A part that goes takes its soft rim along, however wide, and the subject keeps all of its own."""
    subject, other = discs(SIZE, (50, 60, 22)), discs(SIZE, (125, 40, 12))
    soft = np.asarray(cv2.GaussianBlur(other, (0, 0), 6), np.float32)
    view = _view(np.maximum(subject, soft), np.maximum(subject, soft * np.float32(0.5)))
    networks = [fake_network(_bright, "generous"), fake_network(_green, "strict")]
    left, there = (segment(view, networks, "best", pointed_at=pointed) for pointed in (False, True))
    assert there.probability[40, 125] > 0.5
    assert left.probability[60, 50] > 0.99
    assert left.probability[:, 100:].max() < 0.01


def test_what_is_joined_to_the_subject_needs_no_second(fake_network: Any, discs: Discs) -> None:
    """A mast that one network alone sees, and faintly where it begins, goes on with the boat."""
    boat, mast = discs(SIZE, (60, 90, 25)), np.zeros(SIZE, np.float32)
    mast[10:66, 58:62] = 1.0
    mast[60:66, 58:62] = 0.55
    view = _view(np.maximum(boat, mast), np.maximum(boat, mast * np.float32(0.5)))
    segmentation = segment(view, [fake_network(_bright, "seeing"), fake_network(_green, "strict")], "best")
    assert segmentation.probability[20:55, 59:61].min() > 0.5


def test_who_points_at_a_part_needs_no_second(fake_network: Any, discs: Discs) -> None:
    """Where a person says which part is meant, what a surer network alone has seen is there to be chosen."""
    view = _view(discs(SIZE, (60, 60, 25), (130, 30, 12)), discs(SIZE, (60, 60, 25)))

    def doubting(seen: Bytes) -> Map:
        return np.maximum(_green(seen), np.float32(0.2))

    networks = [fake_network(_bright, "generous"), fake_network(doubting, "strict")]
    left, there = (segment(view, networks, "best", pointed_at=pointed) for pointed in (False, True))
    assert left.probability[30, 130] < 0.5 < there.probability[30, 130]
    assert left.probability[60, 60] > 0.99


def test_a_second_part_that_both_see_stays(fake_network: Any, discs: Discs) -> None:
    """Two subjects that each network finds are two subjects."""
    view = _view(discs(SIZE, (50, 60, 25), (125, 40, 12)))
    segmentation = segment(view, [fake_network(_bright, "one"), fake_network(_bright, "two")], "best")
    assert ((segmentation.probability >= 0.5) == (_bright(view) >= 0.5)).all()


def test_the_largest_part_needs_no_second(fake_network: Any, discs: Discs) -> None:
    """What a sure network finds stays where another finds nothing at all."""
    view = _view(discs(SIZE, (60, 60, 25)), np.zeros(SIZE, np.float32))
    segmentation = segment(view, [fake_network(_bright, "seeing"), fake_network(_green, "blind")], "best")
    assert ((segmentation.probability >= 0.5) == (_bright(view) >= 0.5)).all()
    assert not any(name.startswith("blind") for name in segmentation.names)


def test_closer_looks_do_not_choose_the_subject(fake_network: Any, discs: Discs) -> None:
    """However many closer looks find something else, what the whole frame shows stays the subject."""
    view = _view(discs(SIZE, (60, 60, 20)))

    def elsewhere_when_close(seen: Bytes) -> Map:
        return _bright(seen) if seen.shape[:2] == SIZE else 1 - _bright(seen)

    networks = [fake_network(elsewhere_when_close, name) for name in ("one", "two")]
    segmentation = segment(view, networks, "best")
    assert sum(seen.shape[:2] != SIZE for network in networks for seen in network.seen) > 4
    np.testing.assert_allclose(segmentation.probability, _bright(view), atol=0.02)


def test_a_look_gone_astray_is_not_let_in(fake_network: Any, discs: Discs) -> None:
    """Of many looks the one that finds something else changes nothing, and the report does not name it."""
    view = _view(discs(SIZE, (60, 60, 20)))

    def astray_in_the_mirror(seen: Bytes) -> Map:
        answer = _bright(seen)
        return 1 - answer if np.array_equal(seen, view[:, ::-1]) else answer

    segmentation = segment(
        view, [fake_network(_bright, "steady"), fake_network(astray_in_the_mirror, "fickle")], "best"
    )
    assert "fickle mirrored" not in segmentation.names
    assert "fickle box mirrored" in segmentation.names
    np.testing.assert_allclose(segmentation.probability, _bright(view), atol=0.01)


def test_the_border_of_a_box_draws_no_line(fake_network: Any, discs: Discs) -> None:
    """What closer looks see more of than the others do fades towards the border of their box."""
    thing = np.zeros(SIZE, np.float32)
    thing[45:75, 8:40] = 1
    view = _view(discs(SIZE, (60, 60, 20)), thing)

    def more_when_close(seen: Bytes) -> Map:
        share = np.float32(0.4 if seen.shape == view.shape else 0.8)
        return np.maximum(_bright(seen), share * _green(seen))

    segmentation = segment(
        view, [fake_network(more_when_close, "one"), fake_network(more_when_close, "two")], "best"
    )
    row = segmentation.probability[60, 9:38]
    assert row[-2] > 0.55
    assert np.abs(np.diff(row)).max() < 0.08


@pytest.mark.parametrize("found", [0.0, 0.3])
def test_nothing_is_an_answer(fake_network: Any, found: float) -> None:
    """Networks that find nothing likely give a map with nothing likely, without an error."""
    view = np.zeros((*SIZE, 3), np.uint8)

    def faint(seen: Bytes) -> Map:
        return np.full(seen.shape[:2], found, np.float32)

    segmentation = segment(view, [fake_network(faint, "one"), fake_network(faint, "two")], "best")
    assert segmentation.probability.max() < 0.5


def test_a_search_box_confines_the_panel(fake_network: Any, discs: Discs) -> None:
    """With a box of the user's nothing outside of it is looked at or found."""
    view = _view(discs(SIZE, (40, 60, 15), (120, 60, 15)))
    segmentation = segment(
        view, [fake_network(_bright, "one"), fake_network(_bright, "two")], "best", (90, 30, 150, 90)
    )
    assert not segmentation.probability[:, :90].any()
    assert segmentation.probability[60, 120] > 0.99
    assert all(prediction.frame[0] >= 90 for prediction in segmentation.predictions)


def test_each_look_may_be_stopped(fake_network: Any, discs: Discs) -> None:
    """Before each look but the first somebody may stop the work."""
    asked: list[str] = []
    networks = [fake_network(_bright, "one"), fake_network(_bright, "two")]
    segment(_view(discs(SIZE, (60, 60, 12))), networks, "best", on_step=asked.append)
    assert len(asked) == sum(len(network.seen) for network in networks) - 1
