"""What clients ask for, as settings: the copied interface's fields and a rule's own; and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mattebox.core.errors import SettingsError
from mattebox.core.settings import ReadLimits
from mattebox.web.service.errors import RequestError
from mattebox.web.service.removebg import wish_of
from mattebox.web.service.rule import rule_wish

_LIMITS = ReadLimits(megapixels=50)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo of 400 x 200 pixels."""
    path = tmp_path / "photo"
    Image.new("RGB", (400, 200), "navy").save(path, "JPEG")
    return path


@pytest.mark.parametrize(
    ("fields", "finish", "formats"),
    [
        ({}, {"megapixels": 0.25}, ["png"]),
        ({"size": "regular"}, {"megapixels": 0.25}, ["png"]),
        ({"size": "medium"}, {"megapixels": 1.5}, ["png"]),
        ({"size": "hd"}, {"megapixels": 4.0}, ["png"]),
        ({"size": "auto"}, {"megapixels": None}, ["png"]),
        ({"size": "4k", "bg_color": ""}, {"megapixels": None}, ["png"]),
        ({"size": "undefined", "roi": "undefined", "crop_margin": "null"}, {"megapixels": 0.25}, ["png"]),
        ({"format": "jpg"}, {"background.colour": (255, 255, 255)}, ["jpeg"]),
        ({"bg_color": "81d4fa"}, {"background.colour": (0x81, 0xD4, 0xFA)}, ["jpeg"]),
        ({"bg_color": "#fff", "format": "png"}, {"background.colour": (255, 255, 255)}, ["png"]),
        ({"bg_color": "81d4fa00"}, {"background.colour": None}, ["png"]),
        ({"bg_color": "81d4faff"}, {"background.colour": (0x81, 0xD4, 0xFA)}, ["jpeg"]),
        ({"bg_color": "green"}, {"background.colour": (0, 128, 0)}, ["jpeg"]),
        ({"format": "zip"}, {}, ["png", "mask"]),
        ({"format": "webp"}, {}, ["webp"]),
        ({"channels": "alpha"}, {}, ["mask"]),
        ({"crop": "true"}, {"crop": "subject", "canvas": None}, ["png"]),
        (
            {"crop": "true", "crop_margin": "10% 20px"},
            {"margin.top.value": 10, "margin.left.value": 20},
            ["png"],
        ),
        ({"crop": "false", "crop_margin": "10%"}, {"crop": "none", "margin.top.value": 0}, ["png"]),
        ({"scale": "80%"}, {"scale": 80, "canvas": (400, 200), "fit": "contain"}, ["png"]),
        ({"position": "0% 100%"}, {"position": (0, 100), "canvas": (400, 200), "fit": "none"}, ["png"]),
        ({"position": "25%", "scale": "50%"}, {"position": (25, 25), "scale": 50}, ["png"]),
        ({"position": "center"}, {"position": (50, 50), "fit": "none"}, ["png"]),
        ({"add_shadow": "true"}, {"shadow.kind": "drop"}, ["png"]),
        (
            {"shadow_type": "3D", "shadow_opacity": "60"},
            {"shadow.kind": "contact", "shadow.opacity": 60},
            ["png"],
        ),
        ({"add_shadow": "false"}, {"shadow.kind": "none"}, ["png"]),
    ],
)
def test_fields_become_settings(
    photo: Path, fields: dict[str, str], finish: dict[str, Any], formats: list[str]
) -> None:
    """Each field of the interface has its setting; what a client sends for nothing counts as nothing."""
    plan = wish_of(fields, {}).plan(photo)
    assert [output.format for output in plan.outputs] == formats
    for path, value in finish.items():
        found: Any = plan.finish
        for part in path.split("."):
            found = getattr(found, part)
        assert found == value, path


def test_a_region_is_drawn_as_strokes_that_exclude_what_is_outside(photo: Path) -> None:
    """Pixels and percents of the region of interest meet the photo's size; its outside is no subject."""
    plan = wish_of({"roi": "25% 0px 300px 50%"}, {}).plan(photo)
    assert plan.cut.prompts.strokes is not None
    with Image.open(plan.cut.prompts.strokes) as picture:
        assert picture.size == (400, 200)
        assert picture.getchannel("A").point(lambda level: 255 - level).getbbox() == (100, 0, 300, 100)
    assert wish_of({"roi": "0% 0% 100% 100%"}, {}).plan(photo).cut.prompts.strokes is None
    assert wish_of({"semitransparency": "false"}, {}).plan(photo).cut.refine == "hard"
    with pytest.raises(SettingsError, match="nothing of the photo"):
        wish_of({"roi": "90% 0% 90% 100%"}, {}).plan(photo)


@pytest.mark.parametrize(
    "fields",
    [
        {"size": "huge"},
        {"format": "bmp"},
        {"type": "ghost"},
        {"channels": "rgb"},
        {"crop": "maybe"},
        {"roi": "1 2 3"},
        {"roi": "1% 2% 3% -4%"},
        {"crop": "true", "crop_margin": "ten"},
        {"scale": "900%"},
        {"position": "20% nowhere"},
        {"bg_color": "no-colour"},
        {"bg_color": "11223344"},
        {"bg_color": "/etc/passwd.png"},
        {"shadow_type": "neon"},
        {"add_shadow": "true", "shadow_opacity": "much"},
    ],
)
def test_what_no_field_can_be_is_one_sentence(fields: dict[str, str]) -> None:
    """A wrong value is refused before anything is cut, under the client's own name for it."""
    with pytest.raises(RequestError) as refused:
        wish_of(fields, {})
    assert refused.value.status == 400
    assert any(name in str(refused.value) for name in fields)
    assert "finish." not in str(refused.value)


def _rule(settings: Any, files: dict[str, Path] | None = None) -> Any:
    return rule_wish({"settings": json.dumps(settings)}, files or {}, model="u2net", limits=_LIMITS)


def test_a_rules_settings_are_taken_as_they_are(tmp_path: Path) -> None:
    """Keys of cut and finish, every format with its options; files come as parts; limits only go down."""
    wish = _rule(
        {
            "cut": {"quality": "best", "limits": {"megapixels": 900, "side": 100}},
            "finish": {"preset": "amazon", "shadow": "drop"},
            "deliver": ["tif", {"format": "psd", "clipping_path": True}, "jpg"],
        },
        {"strokes": tmp_path / "strokes", "background": tmp_path / "background"},
    )
    assert (wish.cut.model, wish.cut.quality) == ("u2net", "best")
    assert (wish.cut.limits.megapixels, wish.cut.limits.side) == (50, 100)
    assert wish.cut.prompts.strokes == tmp_path / "strokes"
    assert wish.finish.background.image == tmp_path / "background"
    assert [output.format for output in wish.outputs] == ["tiff", "psd", "jpeg"]
    assert wish.outputs[1].clipping_path
    assert [output.format for output in _rule({}).outputs] == ["png"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"finish": {"background": "/etc/passwd.png"}}, "finish.background.image"),
        ({"finish": {"background": {"image": "x"}}}, "finish.background.image"),
        ({"cut": {"backdrop": "x"}}, "cut.backdrop: a file of this server cannot be named."),
        ({"cut": {"backdrop": {"lit": "{stem}"}}}, "cut.backdrop.lit: a file of this server cannot be"),
        ({"cut": {"backdrop": {"learnt": "x"}}}, "cut.backdrop.learnt: a file of this server cannot"),
        ({"finish": {"preset": "/etc/own.yaml"}}, "finish.preset"),
        ({"finish": {"preset": "../own.yaml"}}, "finish.preset"),
        ({"finish": {"preset": ["amazon"]}}, "finish.preset"),
        ({"cut": {"prompts": {"strokes": "/etc/passwd"}}}, "cut.prompts.strokes"),
        ({"cut": {"prompts": {"from_matte": "x"}}}, "cut.prompts.from_matte"),
        ({"cut": {"accept_licence": True}}, "cut.accept_licence"),
        ({"cut": {"qualty": "best"}}, "cut.qualty"),
        ({"cut": {"quality": "superb"}}, "cut.quality"),
        ({"cut": []}, ""),
        ({"cut": "fast"}, "cut"),
        ({"deliver": [{"format": "png", "to": "/etc/x.png"}]}, "to"),
        ({"deliver": ["gif"]}, "deliver"),
        ({"deliver": []}, "deliver"),
        ({"deliver": [7]}, "deliver"),
        ({"deliver": "jpeg"}, "finish.background"),
        ({"when": {}}, "settings"),
        ([], "settings"),
        (7, "settings"),
    ],
)
def test_no_path_no_licence_and_no_nonsense_comes_from_a_client(settings: Any, told: str) -> None:
    """Whatever names a file of the server, accepts a licence or is no setting is refused with its place."""
    if settings == {"cut": []}:
        assert _rule(settings).cut.model == "u2net"
        return
    with pytest.raises(RequestError) as refused:
        _rule(settings)
    assert refused.value.status == 400
    assert told in str(refused.value)


def test_every_setting_that_holds_a_path_is_known() -> None:
    """A setting with a path that is added one day is found by its type, not by its name."""
    from mattebox.core.settings import CutSettings, FinishSettings

    text = json.dumps([CutSettings.model_json_schema(), FinishSettings.model_json_schema()])
    assert text.count('"format": "path"') == 5


def test_an_unknown_field_and_broken_json_are_told() -> None:
    """A mistyped field is no silent default."""
    for fields in ({"setting": "{}"}, {"settings": "{"}, {"settings": "[" * 50_000}):
        with pytest.raises(RequestError):
            rule_wish(fields, {}, model="u2net", limits=_LIMITS)
