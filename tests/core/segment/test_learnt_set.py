"""A learnt set: what photos of one set have in common is known, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from bench.set_scenes import SetPhoto, set_light, set_photos
from hypothesis import given, settings
from hypothesis import strategies as st

from mattebox.core.matting import SegmentedPhoto, cut_segmented
from mattebox.core.photo import Photo
from mattebox.core.segment.backdrop import even_backdrop, linear_light
from mattebox.core.segment.learnt_set import LEAST, MOST, LearntSet, SeenSet, grid, learnt_set, seen_set
from mattebox.core.segment.prediction import Prediction
from mattebox.core.segment.segmentation import Segmentation
from mattebox.core.segment.set_files import SetFileError, packed_seen, packed_set, read_seen, read_set
from mattebox.core.segment.view import small_copy
from mattebox.core.settings import CutSettings
from mattebox.core.settings.backdrop import LearntBackdrop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Map = NDArray[np.float32]

SIDE = 480
SET = 1
pytestmark = pytest.mark.slow


@cache
def photos(lamp: float = 0.0) -> tuple[SetPhoto, ...]:
    """Photos of one set; the last two were never learnt from."""
    return tuple(set_photos(SET, 14, SIDE, lamp=lamp))


def seen(each: SetPhoto) -> SeenSet:
    """What a photo shows of its set where a network fills all that is enclosed."""
    alpha = np.rint(255 * np.maximum(each.alpha, each.enclosed)).astype(np.uint8)
    return seen_set(Photo(each.pixels, "rgb"), alpha)


@cache
def learnt() -> LearntSet:
    """The set of the first twelve."""
    found = learnt_set([seen(each) for each in photos()[:12]])
    assert found is not None
    return found


def told(each: SetPhoto) -> Map:
    """What a network that fills all that is enclosed says, soft as one is."""
    filled = np.maximum(each.alpha, each.enclosed).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(filled, (0, 0), 1.5), np.float32)


def hollow() -> SetPhoto:
    """A photo of the set that was not learnt from, of a product that encloses some of it."""
    return next(each for each in set_photos(SET, 20, SIDE, start=40) if each.name == "frame")


def segmented(each: SetPhoto, cut: CutSettings) -> SegmentedPhoto:
    """The photo as such a network leaves it."""
    photo, map_, frame = Photo(each.pixels, "rgb"), told(each), (0, 0, SIDE, SIDE)
    looks = tuple(Prediction("drawn", way, map_, frame) for way in ("whole", "mirrored"))
    small = small_copy(photo)
    found = Segmentation(map_, looks, 1.5)
    return SegmentedPhoto(
        photo, cut, small, np.asarray(small, np.uint8), found, map_, 1, "drawn", "cpu", (), {}
    )


def error(alpha: NDArray[np.uint8], each: SetPhoto) -> float:
    """The mean error of alpha in what the product encloses and at its edge."""
    near = cv2.dilate(each.enclosed.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return float(np.abs(alpha / 255.0 - each.alpha)[near].mean())


def test_what_was_learnt_is_the_set_without_products() -> None:
    """Known places are within three levels of the set's own light, up to one exposure, but for its edges."""
    found = learnt()
    truth = cv2.resize(set_light(SET, SIDE), found.cells.shape[1::-1], interpolation=cv2.INTER_AREA)
    ratio = found.cells / truth
    gain = np.median(ratio[found.known], axis=0)
    off = np.abs(ratio / gain - 1).max(axis=2)[found.known]
    assert found.photos == 12
    assert np.mean(found.known) > 0.7
    assert np.quantile(off, 0.95) < 0.05
    assert np.median(off) < 0.01


def test_a_set_that_no_smooth_surface_tells_is_seen_through(tmp_path: Path) -> None:
    """A floor line and stains leave no even backdrop; the learnt set takes nine tenths of the error away."""
    each, file = hollow(), tmp_path / "set-000000001.npz"
    file.write_bytes(packed_set(learnt()))
    cut = CutSettings(decontaminate=False, backdrop="learn")
    alone = cut_segmented(segmented(each, cut))
    known = cut.model_copy(update={"backdrop": LearntBackdrop(learnt=file)})
    by_set = cut_segmented(segmented(each, known))
    assert even_backdrop(each.pixels, told(each)) is None
    assert error(by_set.alpha, each) < 0.1 * error(alone.alpha, each)
    assert (by_set.alpha <= alone.alpha).all()
    assert (alone.report.learnt_from, by_set.report.learnt_from) == (0, 12)


def test_a_moved_lamp_is_another_set_and_is_learnt_anew() -> None:
    """What was learnt says nothing of photos in another light; eight of those are known by themselves."""
    moved = photos(0.6)
    assert even_backdrop(moved[1].pixels, told(moved[1]), learnt()) is None
    old = [seen(each) for each in photos()[:12]]
    few = learnt_set([*old, *(seen(each) for each in moved[:2])])
    assert few is not None
    assert even_backdrop(photos()[13].pixels, told(photos()[13]), few) is not None
    anew = learnt_set([*old, *(seen(each) for each in moved[:LEAST])])
    assert anew is not None
    assert anew.photos == LEAST
    assert even_backdrop(moved[13].pixels, told(moved[13]), anew) is not None
    assert even_backdrop(photos()[13].pixels, told(photos()[13]), anew) is None


def test_a_set_of_other_proportions_or_damaged_leaves_the_photo_to_itself(tmp_path: Path) -> None:
    """Its cutout is then as by `auto`, byte for byte; of what cannot be read the report tells."""
    each = hollow()
    auto = cut_segmented(segmented(each, CutSettings(decontaminate=False)))
    wide = tmp_path / "wide.npz"
    cells = learnt().cells[:100]
    wide.write_bytes(packed_set(LearntSet.of(cells, cells, np.ones(cells.shape[:2], bool), 9)))
    broken = tmp_path / "broken.npz"
    broken.write_bytes(packed_set(learnt())[:-300])
    for file, noted in ((wide, False), (broken, True), (tmp_path / "none.npz", True)):
        cut = CutSettings(decontaminate=False, backdrop=LearntBackdrop(learnt=file))
        found = cut_segmented(segmented(each, cut))
        assert np.array_equal(found.alpha, auto.alpha)
        assert any("learnt" in note for note in found.report.notes) == noted
        assert replace(found.report, seconds={}, notes=()) == replace(auto.report, seconds={}, notes=())


@given(
    shape=st.sampled_from([(256, 24), (19, 256), (256, 1)]),
    base=st.integers(60, 200),
    count=st.integers(0, MOST + 5),
    strays=st.integers(0, 3),
    seed=st.integers(0, 99),
)
@settings(max_examples=20, deadline=None)
def test_few_strays_change_nothing_and_few_photos_teach_nothing(
    shape: tuple[int, int], base: int, count: int, strays: int, seed: int
) -> None:
    """A set is learnt from at least eight photos that agree and from at most fifty; strays are passed over.

    What it says of where it was seen is the photos' own light; it says the same of equal photos.
    """
    dice = np.random.default_rng(seed)

    def photo(level: int) -> SeenSet:
        where = dice.uniform(size=shape) < 0.8
        where[0] = True
        noise = dice.integers(-1, 2, (*shape, 3))
        return SeenSet(np.clip(level + noise, 0, 255).astype(np.uint8), where)

    other = base + 50 if base < 130 else base - 50
    shown = [photo(other) for _ in range(strays)] + [photo(base) for _ in range(count)]
    found = learnt_set(shown)
    if count < LEAST:
        assert found is None
        return
    assert found is not None
    assert found.photos == min(count, MOST)
    light = linear_light(np.full((1, 1, 3), base, np.uint8))
    assert np.abs(found.cells[found.known] / light[0] - 1).max() < 0.06
    again = learnt_set(shown)
    assert again is not None
    assert np.array_equal(found.cells, again.cells)
    assert np.isfinite(found.apart).all()


@given(damage=st.integers(0, 10**6), keep=st.floats(0, 1), cut=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_file_holds_what_was_written_or_says_that_it_does_not(
    tmp_path_factory: pytest.TempPathFactory, damage: int, keep: float, *, cut: bool
) -> None:
    """A file that was cut short, or in which a byte differs, is refused or reads as it was."""
    folder = tmp_path_factory.getbasetemp()
    one = seen(photos()[0])
    content = packed_seen(one)
    path = folder / "seen.npz"
    whole = bytearray(content)
    if cut:
        whole = whole[: int(keep * len(whole))]
    else:
        whole[damage % len(whole)] ^= 1 + damage % 255
    path.write_bytes(bytes(whole))
    try:
        found = read_seen(path)
    except SetFileError:
        return
    assert np.array_equal(found.levels, one.levels)
    assert np.array_equal(found.seen, one.seen)


def test_files_give_back_what_was_learnt(tmp_path: Path) -> None:
    """Light within a thousandth, everything else as it was; another version's file is none of ours."""
    path = tmp_path / "set.npz"
    path.write_bytes(packed_set(learnt()))
    found = read_set(path)
    assert found.photos == 12
    assert np.array_equal(found.known, learnt().known)
    assert np.abs(found.cells - np.clip(learnt().cells, 0, 1)).max() < 1e-4
    with path.open("wb") as file:
        np.savez_compressed(file, version=np.int32(2), levels=np.zeros((256, 1, 3), np.uint8))
    with pytest.raises(SetFileError):
        read_seen(path)
    assert grid(3000, 4000) == (192, 256)
