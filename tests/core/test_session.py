"""A session of prompts on real photos, with the real networks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mattebox.core.engine import Engine
from mattebox.core.photo import read_photo
from mattebox.core.segment.prompt.prompts import Prompts, Strokes
from mattebox.core.session import Session, open_session
from mattebox.core.settings import CutSettings
from mattebox.models.catalogue import find_network
from mattebox.models.store import Store

pytestmark = pytest.mark.network

FAST = CutSettings(quality="fast", decontaminate=False)
# Coffee, spoon and saucer of skimage's photo, 600 x 400.
CUP = (290.0, 170.0)
TABLE = (60.0, 360.0)


@pytest.fixture(scope="module")
def engine() -> Engine:
    """An engine whose networks are loaded once."""
    return Engine()


@pytest.fixture(scope="module")
def session(engine: Engine, shipped_photos: dict[str, Path]) -> Session:
    """A session on a photo of a cup."""
    return open_session(engine, read_photo(shipped_photos["coffee.png"]), FAST)


@pytest.fixture(scope="module")
def coins(engine: Engine) -> Session:
    """A session on a photo of many equal things."""
    import skimage

    return open_session(
        engine, read_photo(Path(skimage.__file__).parent / "data" / "coins.png"), CutSettings()
    )


def test_a_click_is_inside_its_answer(session: Session) -> None:
    """What is clicked at belongs to the answer, and what lies far from it does not."""
    answer = session.answer(Prompts().with_click(*CUP))
    assert answer.network == "mobile-sam"
    assert answer.advice == ()
    assert answer.level[int(CUP[1]), int(CUP[0])] > 0.5
    assert answer.level[int(TABLE[1]), int(TABLE[0])] < 0.5


# Middles of eight coins of skimage's photo, 384 x 303, and their radii: the network finds them, whatever
# stands out.
COINS = (
    (334, 42, 27),
    (154, 50, 24),
    (276, 52, 21),
    (44, 124, 21),
    (205, 124, 22),
    (153, 127, 20),
    (212, 193, 26),
    (101, 195, 24),
)


@pytest.mark.slow
@pytest.mark.parametrize("coin", COINS)
def test_one_thing_among_many_is_found_by_a_click(
    engine: Engine, coins: Session, coin: tuple[int, int, int]
) -> None:
    """A click at a coin takes that coin, and neither the others nor the table under them."""
    x, y, radius = coin
    level = coins.answer(Prompts().with_click(float(x), float(y))).level > 0.5
    rows, columns = np.mgrid[0 : level.shape[0], 0 : level.shape[1]]
    disc = (columns - x) ** 2 + (rows - y) ** 2 <= radius**2
    assert (level & disc).sum() / (level | disc).sum() > 0.6


@pytest.mark.slow
def test_one_of_several_things_in_one_salient_part_is_found(engine: Engine) -> None:
    """Where one look has several coins and the table in one part, a click still takes its coin alone."""
    import skimage

    photo = read_photo(Path(skimage.__file__).parent / "data" / "coins.png")
    session = open_session(engine, photo, FAST)
    for x, y, radius in ((154, 50, 23), (44, 124, 19), (46, 54, 19), (100, 58, 20)):
        assert session.segmented.segmentation.salient[y, x] > 0.5
        level = session.answer(Prompts().with_click(float(x), float(y))).level > 0.5
        rows, columns = np.mgrid[0 : level.shape[0], 0 : level.shape[1]]
        disc = (columns - x) ** 2 + (rows - y) ** 2 <= radius**2
        assert (level & disc).sum() / (level | disc).sum() > 0.6


def test_each_click_is_kept_to(session: Session) -> None:
    """Whatever comes later, a click inside stays inside and a click outside stays out."""
    prompts = Prompts().with_click(*CUP)
    rng = np.random.default_rng(7)
    for _ in range(4):
        x, y = float(rng.integers(0, 600)), float(rng.integers(0, 400))
        inside = bool(rng.integers(0, 2))
        prompts = prompts.with_click(x, y, inside=inside)
        answer = session.answer(prompts)
        for click in prompts.clicks:
            row, column = int(click.y), int(click.x)
            near = answer.level[max(0, row - 6) : row + 7, max(0, column - 6) : column + 7]
            assert (near.max() >= 0.5) if click.inside else (near.min() < 0.5)


def test_undo_is_the_prompts_without_the_last(session: Session) -> None:
    """The same prompts have the same answer, bit by bit, whatever was asked between."""
    one = Prompts().with_click(*CUP)
    before = session.answer(one).level.copy()
    session.answer(one.with_click(*TABLE))
    assert np.array_equal(session.answer(one).level, before)


@pytest.mark.slow
def test_the_memory_of_answers_is_bounded(session: Session) -> None:
    """Of ever more prompts the last answers are kept, in 48 MiB at most, and no former matte with them."""
    former = np.zeros((400, 600), np.float32)
    former[100:300, 200:400] = 1
    prompts = Prompts(former=former)
    for x in range(13):
        session.answer(Prompts().with_click(100.0 + x, 200.0))
        session.answer(prompts.with_click(100.0 + 20 * x, 150.0))
    pointer = session._pointer
    assert pointer is not None
    assert len(pointer._steps) <= 24
    assert all(len(matte) < 100 for matte, *_ in pointer._steps if isinstance(matte, bytes))
    kept: dict[int, int] = {}
    for step in (*pointer._steps.values(), *(step.begun for step in pointer._steps.values())):
        for name in ("level", "mask", "salient", "logits", "weight"):
            array = getattr(step, name, None)
            if array is not None:
                owner = array if array.base is None else array.base
                kept[id(owner)] = owner.nbytes
    assert sum(kept.values()) < 48 * 2**20


def test_strokes_are_exact(session: Session) -> None:
    """White strokes are opaque and black ones clear, to the last pixel of the finished matte."""
    inside, outside = np.zeros((400, 600), np.uint8), np.zeros((400, 600), np.uint8)
    cv2.line(inside, (250, 150), (320, 190), 1, 9)
    cv2.line(outside, (20, 30), (580, 40), 1, 11)
    strokes = Strokes(inside > 0, outside > 0, np.zeros((400, 600), bool))
    alpha = session.cut(Prompts(strokes=strokes)).alpha
    assert (alpha[strokes.inside] == 255).all()
    assert (alpha[strokes.outside] == 0).all()


def test_unsure_strokes_change_nothing_elsewhere(session: Session) -> None:
    """An unsure stroke over a former matte is solved again, and every other pixel stays as it was."""
    cut = session.cut(Prompts().with_click(*CUP)).alpha
    former = cut.astype(np.float32) / 255
    edge = cv2.morphologyEx((cut > 127).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((9, 9), np.uint8)) > 0
    spoiled = np.where(edge, np.float32(0.5), former)
    none = np.zeros_like(edge)
    again = session.cut(Prompts(strokes=Strokes(none, none, edge), former=spoiled)).alpha
    assert np.array_equal(again[~edge], cut[~edge])
    error = np.abs(again[edge].astype(float) - cut[edge]).mean()
    assert error < np.abs(127.5 - cut[edge]).mean()


def test_a_former_matte_alone_comes_back(session: Session) -> None:
    """Going on from a matte with nothing said beside gives that matte, level by level."""
    levels = np.random.default_rng(1).integers(0, 256, (400, 600)).astype(np.uint8)
    alpha = session.cut(Prompts(former=levels.astype(np.float32) / 255)).alpha
    assert np.array_equal(alpha, levels)


def test_a_click_on_a_former_matte_changes_what_it_means(session: Session) -> None:
    """A click outside takes a part out of a former matte, and far from it no level changes."""
    former = np.zeros((400, 600), np.float32)
    former[60:330, 150:450] = 1
    former[20:50, 20:60] = 0.25
    cutout = session.cut(Prompts(former=former).with_click(160.0, 320.0, inside=False))
    assert cutout.alpha[320, 160] < 128
    assert (cutout.alpha[22:48, 22:58] == 64).all()


def test_the_report_says_how_it_was_pointed_at(session: Session) -> None:
    """A pointed matte's report names the network that answered and says that no curve is its own."""
    report = session.cut(Prompts().with_click(*CUP)).report
    assert any(look.startswith("mobile-sam") for look in report.looks)
    assert any("has not been measured" in note for note in report.notes)


def test_without_the_network_the_report_says_so(
    tmp_path: Path, shipped_photos: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offline and without the promptable network a click is answered with what is there."""
    ordinary = Store()
    (tmp_path / "u2net.onnx").symlink_to(ordinary.ensure(find_network("u2net")))
    monkeypatch.setenv("MATTEBOX_OFFLINE", "1")
    alone = Engine(Store(tmp_path))
    settings = FAST.model_copy(update={"prompts": FAST.prompts.model_copy(update={"inside": (CUP,)})})
    cutout = alone.cut(read_photo(shipped_photos["coffee.png"]), settings)
    assert cutout.alpha[int(CUP[1]), int(CUP[0])] > 127
    assert any("without the network mobile-sam" in note for note in cutout.report.notes)


def test_a_point_where_nothing_is_found_is_said(
    tmp_path: Path, shipped_photos: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A click that changes nothing, or that is in nothing that was found, leads to point_not_found."""
    ordinary = Store()
    (tmp_path / "u2net.onnx").symlink_to(ordinary.ensure(find_network("u2net")))
    monkeypatch.setenv("MATTEBOX_OFFLINE", "1")
    prompts = FAST.prompts.model_copy(update={"inside": (CUP,)})
    photo = read_photo(shipped_photos["coffee.png"])
    report = Engine(Store(tmp_path)).cut(photo, FAST.model_copy(update={"prompts": prompts})).report
    assert "point_not_found" in report.warnings
    assert any("models pull mobile-sam" in note for note in report.notes)
