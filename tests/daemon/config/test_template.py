"""What a field holds can never leave the folder that the field stands in."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattebox.daemon.config.template import FieldValues, Template
from mattebox.daemon.errors import TemplateError

WHEN = datetime(2026, 3, 4, tzinfo=UTC)


def names(tree: str = "a/b", name: str = "photo.v2.JPG") -> FieldValues:
    """The fields of one photo."""
    return FieldValues(tree, name, "rule", "studio", WHEN, 640, 480)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("out/{tree}/{stem}.png", "out/a/b/photo.v2.png"),
        ("out/{name}.png", "out/photo.v2.JPG.png"),
        ("out/{stem}_{width}x{height}.{ext}", "out/photo.v2_640x480.JPG"),
        ("out/{date}/{rule}/{stem}.png", "out/2026-03-04/rule/photo.v2.png"),
        ("out/{date:%Y_%m}/{width:05}.png", "out/2026_03/00640.png"),
        ("out/{tree}_{stem}.png", "out/a-b_photo.v2.png"),
        ("../up/{folder}/{stem}.png", "../up/studio/photo.v2.png"),
        ("out/{{{stem}}}.png", "out/{photo.v2}.png"),
    ],
)
def test_fields_become_parts_of_the_path(tmp_path: Path, text: str, expected: str) -> None:
    """Each field is replaced; the user's own '..' before the first field stands."""
    assert Template(text, tmp_path).path(names()) == Path(os.path.normpath(tmp_path / expected))


def test_a_photo_at_the_root_has_no_tree(tmp_path: Path) -> None:
    """{tree} alone vanishes where there is none."""
    assert Template("out/{tree}/{stem}.png", tmp_path).path(names(tree="")) == tmp_path / "out/photo.v2.png"


# What os.fsdecode gives for any bytes of a name.
PART = st.binary(min_size=1, max_size=255).map(os.fsdecode).filter(lambda name: not {"/", "\0"} & set(name))


@given(
    tree=st.lists(PART | st.sampled_from(["..", "."]), max_size=4),
    name=PART | st.sampled_from(["..", ".", "..jpg", "{stem}", "\udcff.jpg"]),
    text=st.sampled_from(
        ["out/{tree}/{stem}.png", "out/{name}", "out/{ext}/{stem}", "out/x{tree}y/{rule}.png"]
    ),
)
def test_no_name_leaves_the_folder(tree: list[str], name: str, text: str) -> None:
    """Whatever the sub-folders and the name are, the output lies below out/, under a legal name."""
    template = Template(text, Path("/nowhere"))
    target = template.path(names("/".join(tree), name))
    assert target.is_relative_to("/nowhere/out")
    assert ".." not in target.parts
    assert all(len(os.fsencode(part)) <= 255 for part in target.parts)


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    """A link inside the output folder to another place is not followed."""
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TemplateError, match="a link in this path leads out"):
        Template("out/{tree}/{stem}.png", tmp_path).path(names("a"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "out/",
        "{nothing}",
        "{stem!r}",
        "{stem.__class__}",
        "{stem:>9}",
        "{",
        "{stem}/../x.png",
        "{date:%d/%m}",
    ],
)
def test_what_is_no_template_is_refused(text: str) -> None:
    """Unknown fields, attributes, conversions, loose braces and ways up are errors at once."""
    with pytest.raises(TemplateError):
        Template(text, Path("/nowhere"))
