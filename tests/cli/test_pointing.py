"""`mattebox cut` where a person points: --point, --not, --box, --strokes and --from-matte."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Mattebox = Callable[..., Any]


def mask_of(path: Path) -> np.ndarray:
    """The levels of a written mask."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"))


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--point", "12", "is not X,Y in pixels, such as 479,268"),
        ("--point", "a,b", "is not X,Y in pixels"),
        ("--not", "1,-2", "is not X,Y in pixels"),
        ("--box", "1,2,3", "is not L,T,R,B in pixels, such as 100,80,520,460"),
        ("--box", "10,20,5,40", "right of left"),
        ("--strokes", "missing.png", "does not exist"),
    ],
)
def test_what_is_no_place_is_wrong_use(
    mattebox: Mattebox, photos: Path, option: str, value: str, told: str
) -> None:
    """A point, box or file that cannot be is told in one sentence, before any work."""
    ran = mattebox("cut", photos / "coffee.png", option, value)
    assert ran.status == 2
    assert told in ran.err
    assert not list(photos.glob("*.cutout.png"))


@pytest.mark.network
def test_a_point_outside_of_the_photo_is_one_sentence(mattebox: Mattebox, photos: Path) -> None:
    """The sentence names the point and the photo's size."""
    ran = mattebox("cut", photos / "coffee.png", "--point", "900,20", "-f", "mask", "-s", "cut.quality=fast")
    assert ran.status == 1
    assert ran.err.strip().count("\n") == 0
    assert "900,20" in ran.err
    assert "600 x 400" in ran.err


@pytest.mark.network
def test_points_and_a_box_say_which_thing(mattebox: Mattebox, photos: Path) -> None:
    """What is clicked at is in the mask and what is excluded is not; a box holds its subject."""
    fast = ("-f", "mask", "-s", "cut.quality=fast", "--overwrite", "--json")
    ran = mattebox("cut", photos / "coffee.png", "--point", "290,170", "--not", "60,360", *fast)
    mask = mask_of(photos / "coffee.mask.png")
    assert (mask[170, 290], mask[360, 60]) == (255, 0)
    assert any("mobile-sam" in look for look in json.loads(ran.out)["looks"])
    ran = mattebox("cut", photos / "coffee.png", "--box", "130,40,470,330", *fast)
    left, top, right, bottom = json.loads(ran.out)["subject_box"]
    assert left >= 90
    assert top >= 0
    assert right <= 510
    assert bottom <= 370


@pytest.mark.network
def test_a_former_matte_and_strokes_are_exact(mattebox: Mattebox, photos: Path, tmp_path: Path) -> None:
    """With a former matte and two strokes the mask is the matte but for the strokes, which are exact."""
    levels = np.random.default_rng(5).integers(0, 256, (400, 600)).astype(np.uint8)
    Image.fromarray(levels).save(tmp_path / "former.png")
    strokes = np.zeros((400, 600, 4), np.uint8)
    strokes[100:110, 50:200] = 255
    strokes[200:210, 50:200, 3] = 255
    Image.fromarray(strokes).save(tmp_path / "strokes.png")
    ran = mattebox(
        "cut", photos / "coffee.png", "-f", "mask", "-s", "cut.quality=fast",
        "--from-matte", tmp_path / "former.png",
    )  # fmt: skip
    assert (ran.status, ran.err) == (0, "")
    assert np.array_equal(mask_of(photos / "coffee.mask.png"), levels)
    mattebox(
        "cut", photos / "coffee.png", "-f", "mask", "-s", "cut.quality=fast", "--overwrite",
        "--from-matte", tmp_path / "former.png", "--strokes", tmp_path / "strokes.png",
    )  # fmt: skip
    mask = mask_of(photos / "coffee.mask.png")
    assert (mask[100:110, 50:200] == 255).all()
    assert (mask[200:210, 50:200] == 0).all()


@pytest.mark.network
def test_a_turned_picture_of_strokes_is_refused(mattebox: Mattebox, photos: Path, tmp_path: Path) -> None:
    """Strokes of another shape than the photo's are refused with both sizes."""
    Image.new("L", (400, 600)).save(tmp_path / "turned.png")
    ran = mattebox(
        "cut", photos / "coffee.png", "--strokes", tmp_path / "turned.png", "-s", "cut.quality=fast"
    )
    assert ran.status == 1
    assert "400 x 600 pixels and the photo 600 x 400" in ran.err


@pytest.mark.network
def test_the_older_form_points_too(mattebox: Mattebox, photos: Path) -> None:
    """`subject: [[x, y]]` is answered as a point is."""
    fast = ("-f", "mask", "-s", "cut.quality=fast", "--overwrite")
    mattebox("cut", photos / "coffee.png", "-s", "cut.subject=[[290,170]]", *fast)
    older = mask_of(photos / "coffee.mask.png").copy()
    mattebox("cut", photos / "coffee.png", "--point", "290,170", *fast)
    assert np.array_equal(mask_of(photos / "coffee.mask.png"), older)


def test_prompts_in_yaml_start_from_its_folder(tmp_path: Path) -> None:
    """A rule's `prompts:` are checked with the rest, and their files lie beside the configuration."""
    from mattebox.daemon.config.load import load_config

    path = tmp_path / "config.yaml"
    path.write_text(
        "version: 1\nfolders:\n  - name: a\n    watch: ./in\n    done: ./done\n    failed: ./failed\n"
        "    rules:\n      - name: r\n"
        "        cut: {prompts: {inside: [[4, 5]], outside: [[1, 1]], box: [0, 0, 9, 9], strokes: s.png}}\n"
        "        deliver: [{format: png, to: './out/{stem}.png'}]\n"
    )
    rule = load_config(path).config.folders[0].rules[0]
    assert "s.png" in str(rule)
    assert str(tmp_path / "s.png") in str(rule)
