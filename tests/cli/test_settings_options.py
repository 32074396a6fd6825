"""The settings of `mattebox cut`: options for the first questions, and any other by its dotted path."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mattebox.cli.cut import as_value
from mattebox.core.errors import SettingsError
from mattebox.core.settings import CutSettings
from mattebox.core.settings.assign import (
    GROUPS,
    cut_settings,
    finish_settings,
    nested,
    output_settings,
    resolves,
)
from mattebox.core.settings.explain import models_at

if TYPE_CHECKING:
    from pydantic import BaseModel

Mattebox = Callable[..., Any]


def paths_below(model: type[BaseModel], path: str) -> list[str]:
    """Every dotted path of a model's fields."""
    found = []
    for name in model.model_fields:
        found.append(f"{path}.{name}")
        for below in models_at(model, [name]):
            found += paths_below(below, f"{path}.{name}")
    return found


@given(
    st.from_regex(r"[A-Za-z][A-Za-z_-]{0,6}", fullmatch=True)
    | st.sampled_from(["yes", "No", "ON", "off", "True", "FALSE", "null", "~", "y", "NaN", "e5", "-", "5%"])
)
def test_a_value_is_what_a_file_of_settings_would_make_of_it(text: str) -> None:
    """A word after KEY= is what YAML makes of it, though YAML is not asked about most words."""
    assert as_value(text) == yaml.safe_load(text)


@pytest.mark.parametrize("group", GROUPS)
def test_an_unknown_key_at_any_depth_names_its_whole_path(group: str) -> None:
    """Beside each key of the schema a misspelt one is refused under the path that the user wrote."""

    def tell(model: type[BaseModel], data: dict[str, Any]) -> None:
        if group == "output":
            output_settings(model.model_fields["format"].default, data)
        else:
            {"cut": cut_settings, "finish": finish_settings}[group](data)

    for model in GROUPS[group]:
        paths = paths_below(model, group)
        assert all(resolves(path) for path in paths)
        for path in paths:
            wrong = f"{path}x"
            assert not resolves(wrong)
            data = nested({wrong: 1})[group]
            with pytest.raises(SettingsError) as refused:
                tell(model, data)
            assert str(refused.value).startswith(f"{wrong}: there is no such key; did you mean ")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"finish.shadow": "drop", "finish.shadow.angle": 60}, {"kind": "drop", "angle": 60}),
        ({"finish.shadow.angle": 60, "finish.shadow.kind": "drop"}, {"kind": "drop", "angle": 60}),
    ],
)
def test_a_short_form_and_a_path_below_it_make_one_value(
    values: dict[str, Any], expected: dict[str, Any]
) -> None:
    """--shadow drop and -s finish.shadow.angle=60 are one shadow, in either order of words."""
    shadow = finish_settings(nested(values)["finish"]).shadow
    assert shadow.model_dump(include=set(expected)) == expected


def test_deep_paths_reach_their_settings() -> None:
    """Limits, names and lengths are reached by their paths; what a preset says beside them stays."""
    groups = nested(
        {
            "cut.limits.side": 70_000,
            "output.names.subject": "Shoe",
            "finish.background.blur": "5%",
            "finish.preset": "amazon",
            "finish.margin.left": "7%",
        }
    )
    assert cut_settings(groups["cut"]).limits.side == 70_000
    assert output_settings("psd", groups["output"]).names.subject == "Shoe"  # type: ignore[union-attr]
    finish = finish_settings(groups["finish"])
    assert finish.background.blur is not None
    assert (finish.background.blur.value, finish.canvas) == (5, (2000, 2000))
    assert finish.margin.left.value == 7


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("all", "auto"),
        ("center", "centre"),
        ("Centre", "centre"),
        ("80,40,900,700", (80, 40, 900, 700)),
        ("80, 40, 900, 700", (80, 40, 900, 700)),
        ("300,200", ((300, 200),)),
        ("300,200 450,180", ((300, 200), (450, 180))),
    ],
)
def test_a_subject_is_written_as_people_write_it(written: str, meant: object) -> None:
    """Words, a box and points as texts, in the command and in YAML alike."""
    assert CutSettings(subject=written).subject == meant  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-s", "cut.limits.sid=3"], "cut.limits.sid: there is no such key; did you mean side?"),
        (["-s", "output.names.subjec=x", "-f", "psd"], "output.names.subjec: there is no such key; did you"),
        (["-s", "finish.shadow.angel=3"], "finish.shadow.angel: there is no such key; did you mean angle?"),
        (
            ["-s", "cut.limits.side=many"],
            "cut.limits.side: write a whole number, without a unit (given: 'many')",
        ),
        (["-s", "cut.quality=good"], "cut.quality: write fast, balanced or best (given: 'good')"),
        (["-s", "cuts.quality=best"], "cuts.quality: a setting begins with cut, finish or output, and"),
        (["--preset", "amazn"], "--preset: there is no preset 'amazn'"),
        (["--subject", "keep"], "--subject: write auto, largest, centre, a box"),
        (["--subject", "900,40,80,700"], "--subject: a box is"),
        (["--box", "10,10,5,5"], "--box: a box is"),
        (["--keep", "0"], "--keep"),
        (["--canvas", "big"], "--canvas: "),
    ],
)
def test_a_mistake_is_told_under_the_name_that_was_written(
    mattebox: Mattebox, photos: Path, arguments: list[str], sentence: str
) -> None:
    """The option or the whole path as written stands before the sentence; no word of pydantic does."""
    ran = mattebox("cut", photos / "cat.png", *arguments)
    assert ran.status == 2
    assert sentence in ran.err
    assert not any(word in ran.err for word in ("literal[", "constrained", "Input should", "finish.:"))


@pytest.mark.network
def test_the_options_of_the_first_questions_do_what_their_settings_do(
    mattebox: Mattebox, photos: Path
) -> None:
    """--quality, --refine, --subject and --keep give the bytes that -s cut.… gives."""
    first, second = photos / "a", photos / "b"
    cat = photos / "cat.png"
    options = ["--quality", "fast", "--refine", "hard", "--subject", "center", "--keep", "1"]
    paths = ["cut.quality=fast", "cut.refine=hard", "cut.subject=centre", "cut.keep=1"]
    assert mattebox("cut", cat, "-o", f"{first}/", "-m", "u2netp", *options).status == 0
    settings = [part for path in paths for part in ("-s", path)]
    assert mattebox("cut", cat, "-o", f"{second}/", "-m", "u2netp", *settings).status == 0
    assert (first / "cat.png").read_bytes() == (second / "cat.png").read_bytes()


@pytest.mark.network
def test_formats_are_known_by_their_endings(mattebox: Mattebox, photos: Path) -> None:
    """-f jpg is jpeg, which needs a background and says so in the command's own word."""
    refused = mattebox("cut", photos / "cat.png", "-f", "jpg", "-m", "u2netp", "--quality", "fast")
    assert refused.status == 1
    assert "--background white" in refused.err
    assert (
        mattebox("cut", photos / "cat.png", "-f", "jpg", "-m", "u2netp", "--background", "white").status == 0
    )
    assert (photos / "cat.cutout.jpg").exists()
