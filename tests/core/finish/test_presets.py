"""Presets are data: each one's promise holds for its finished picture, and users override them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from pydantic import ValidationError

from mattebox.core.finish import finish
from mattebox.core.finish.layout import visible_box
from mattebox.core.settings import FinishSettings
from mattebox.core.settings.presets import preset_names
from mattebox.core.write.flatten import flatten

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mattebox.core.cutout import Cutout


def test_the_promised_presets_are_there() -> None:
    """The six presets that the documentation names come along, each of valid settings."""
    assert preset_names() == ["amazon", "ebay", "etsy", "id-photo", "instagram", "shopify"]
    for name in preset_names():
        assert FinishSettings(preset=name).canvas


@pytest.mark.parametrize("axes", [(50, 30), (20, 60), (40, 40)])
def test_amazon_asks_are_met(cutout: Callable[..., Cutout], axes: tuple[int, int]) -> None:
    """Pure white around it, at least 85 % of the frame, at least 1000 pixels."""
    made = finish(cutout(axes=axes), FinishSettings(preset="amazon"))
    box = visible_box(made.alpha)
    assert box
    assert max(box[2] - box[0], box[3] - box[1]) >= 0.85 * max(made.size)
    assert min(made.size) >= 1000
    flat = flatten(made)
    assert (flat.pixels[made.alpha == 0] == 255).all()


def test_what_is_said_overrides_the_preset() -> None:
    """A setting beside the preset wins; the others stay the preset's."""
    made = FinishSettings.model_validate({"preset": "amazon", "margin": "2%"})
    assert made.margin.top.value == 2
    assert made.canvas == (2000, 2000)


def test_a_file_of_ones_own_is_a_preset(tmp_path: Path) -> None:
    """A YAML file with finish settings works as a named preset does, relative to the caller's folder."""
    (tmp_path / "mine.yaml").write_text("canvas: 300x200\nbackground: '#ffeedd'\n")
    made = FinishSettings.model_validate({"preset": "mine.yaml"}, context={"base": tmp_path})
    assert made.canvas == (300, 200)
    assert made.background.colour == (0xFF, 0xEE, 0xDD)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("- a\n", "no mapping"),
        ("a: [", "no YAML"),
        ("preset: amazon\n", "names another"),
        ("crops: x\n", "crops"),
    ],
)
def test_a_bad_preset_is_told(tmp_path: Path, content: str, told: str) -> None:
    """A preset that is no mapping of finish settings is refused with the reason."""
    (tmp_path / "bad.yaml").write_text(content)
    with pytest.raises(ValidationError, match=told):
        FinishSettings(preset=str(tmp_path / "bad.yaml"))


@pytest.mark.parametrize(
    "data",
    [
        {"preset": "amazon"},
        {"margin": "1% 2px", "canvas": 12, "background": "blur", "shadow": "both", "outline": "red"},
        {"background": {"image": "a.png"}, "position": "bottom-left", "scale": "85%"},
    ],
)
def test_settings_survive_the_way_through_json(data: dict[str, object]) -> None:
    """Plain data goes to a worker and back without a change."""
    made = FinishSettings.model_validate(data)
    assert FinishSettings.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"background": "whit"}, "no colour"),
        ({"margin": "x"}, "no length"),
        ({"margin": [1, 2, 3]}, "one length, two"),
        ({"preset": "amazn"}, "no preset 'amazn'"),
        ({"canvas": "big"}, "no size"),
        ({"position": "middel"}, "no position"),
        ({"background": {"colour": "red", "blur": 3}}, "one of colour"),
    ],
)
def test_typing_errors_are_told_by_what_is_allowed(data: dict[str, object], told: str) -> None:
    """A wrong value is refused by a sentence that says what may be written."""
    with pytest.raises(ValidationError, match=told):
        FinishSettings.model_validate(data)


def test_an_image_is_found_from_the_callers_folder(tmp_path: Path) -> None:
    """A relative background file starts at the folder of the YAML file."""
    made = FinishSettings.model_validate({"background": "set/wall.jpg"}, context={"base": tmp_path})
    assert made.background.image == tmp_path / "set/wall.jpg"


def test_alpha_is_not_lost_in_scaling(cutout: Callable[..., Cutout]) -> None:
    """Solid stays solid: a subject scaled to a canvas has full alpha inside."""
    made = finish(cutout(kind=np.uint16), FinishSettings.model_validate({"crop": "subject", "canvas": 500}))
    assert made.alpha[250, 250] == 65535
