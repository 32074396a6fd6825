"""Names of outputs are settled before any work starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattebox.cli.plan import PlanError, plan


def names(planned: list, below: Path | None = None) -> list[str]:
    """All target paths, relative to a folder where one is given."""
    targets = [target for item in planned for _, target in item.targets]
    return [str(target.relative_to(below) if below else target) for target in targets]


@pytest.mark.parametrize(
    ("formats", "expected"),
    [
        ((), ["photo.cutout.png"]),
        (("psd",), ["photo.cutout.psd"]),
        (("tiff",), ["photo.cutout.tif"]),
        (("mask",), ["photo.mask.png"]),
        (("png", "mask"), ["photo.cutout.png", "photo.mask.png"]),
    ],
)
def test_without_output_names_stand_beside_the_photo(formats: tuple[str, ...], expected: list[str]) -> None:
    """photo.jpg becomes photo.cutout.FORMAT, and photo.mask.png for a mask."""
    assert names(plan([Path("photo.jpg")], None, formats)) == expected


def test_a_folder_as_output_gives_plain_names(tmp_path: Path) -> None:
    """-o FOLDER gives FOLDER/photo.png and FOLDER/photo.mask.png."""
    planned = plan([Path("photo.jpg")], tmp_path, ("png", "mask"))
    assert names(planned, tmp_path) == ["photo.png", "photo.mask.png"]


def test_the_ending_of_a_file_names_the_format() -> None:
    """-o x.psd writes a PSD without --format."""
    (item,) = plan([Path("photo.jpg")], Path("deep/x.psd"), ())
    assert item.targets == (("psd", Path("deep/x.psd")),)


def test_a_mask_may_be_named_as_any_png() -> None:
    """--format mask -o x.png is a mask under that name."""
    (item,) = plan([Path("photo.jpg")], Path("x.png"), ("mask",))
    assert item.targets == (("mask", Path("x.png")),)


@pytest.mark.parametrize(
    ("output", "formats", "part"),
    [
        ("x.psd", ("png",), "--format says png"),
        ("x.png", ("png", "psd"), "several formats"),
        ("x.docx", (), "no ending that can be written"),
    ],
)
def test_contradictions_are_refused(output: str, formats: tuple[str, ...], part: str) -> None:
    """A file name and formats that contradict each other are wrong use, told in a sentence."""
    with pytest.raises(PlanError, match=part):
        plan([Path("photo.jpg")], Path(output), formats)


def test_several_photos_never_become_one_file(tmp_path: Path) -> None:
    """-o one.png with two photos, or with a folder, is wrong use; a slash makes it a folder's name."""
    for photos in ([Path("a.jpg"), Path("b.jpg")], [tmp_path]):
        with pytest.raises(PlanError, match="several photos"):
            plan(photos, tmp_path / "one.png", ())
    planned = plan([Path("a.jpg"), Path("b.jpg")], tmp_path / "one.png", (), as_folder=True)
    assert names(planned, tmp_path) == ["one.png/a.png", "one.png/b.png"]


def test_a_folder_keeps_its_tree_and_skips_what_is_no_photo(tmp_path: Path) -> None:
    """A walked folder offers photos only: no hidden file, no text, none of our own cutouts."""
    inside = [
        "a.jpg",
        "deep/b.TIF",
        "deep/.hidden.jpg",
        "notes.txt",
        "a.cutout.png",
        "a.mask.png",
        ".git/c.png",
    ]
    for name in inside:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    planned = plan([tmp_path / "in"], tmp_path / "out", ())
    assert names(planned, tmp_path) == ["out/a.png", "out/deep/b.png"]


def test_two_outputs_of_one_name_get_a_number() -> None:
    """IMG_1.jpg and IMG_1.png in one run become two files."""
    planned = plan(
        [Path("a/IMG_1.jpg"), Path("a/IMG_1.png"), Path("b/img_1.png")], Path("out/"), (), as_folder=True
    )
    assert names(planned) == ["out/IMG_1.png", "out/IMG_1-2.png", "out/img_1-3.png"]


def test_the_number_stands_before_a_double_ending() -> None:
    """photo.cutout.png is numbered photo-2.cutout.png."""
    planned = plan([Path("photo.jpg"), Path("photo.png")], None, ())
    assert names(planned) == ["photo.cutout.png", "photo-2.cutout.png"]


@given(st.lists(st.sampled_from(["a", "A", "a-2", "b.c", "ä"]), min_size=1, max_size=8), st.booleans())
def test_no_two_photos_share_an_output(stems: list[str], mask: bool) -> None:
    """Whatever the names, every photo gets outputs of its own, also where case does not count."""
    photos = [Path(str(index), f"{stem}.jpg") for index, stem in enumerate(stems)]
    formats = ("png", "mask") if mask else ("png",)
    targets = names(plan(photos, Path("out"), formats, as_folder=True))
    assert len({target.casefold() for target in targets}) == len(photos) * len(formats)
