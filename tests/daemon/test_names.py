"""Names of any length, script and ending come to the end of their job."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.daemon.hot_folders import CONFIG, HotFolders

from mattebox.core.names import LONGEST, fit, split
from mattebox.core.publish import numbered
from mattebox.daemon.config.rules import PHOTO_ENDINGS

REVIEW = CONFIG.replace("        deliver", "        review: {below: 0.5, to: ./review}\n        deliver")
# Every ending is taken, and a review comes of what is in doubt.
ANY = REVIEW.replace("        deliver", "        when: {name: '*'}\n        deliver").replace(
    "{stem}", "{name}"
)
# Letters of one, two, three and four bytes, with marks that combine, and bytes that are no UTF-8.
LETTERS = ("a", "é", "e\u0301", "ж", "字", "ไ", "ﷺ", "📷", "👩\u200d👩", "\udcff", " ", "-", "'")


@st.composite
def names(draw: st.DrawFn) -> str:
    """A file's name that a file system takes, often of the greatest length."""
    ending = draw(st.sampled_from(["", ".", *(f".{ending}" for ending in sorted(PHOTO_ENDINGS)), ".x" * 40]))
    letters = draw(st.lists(st.sampled_from(LETTERS), min_size=1, max_size=12))
    max_tasks = draw(st.one_of(st.integers(1, LONGEST), st.integers(LONGEST - 30, LONGEST))) - len(
        os.fsencode(ending)
    )
    stem = ""
    while len(os.fsencode(stem + letters[len(stem) % len(letters)])) <= max_tasks:
        stem += letters[len(stem) % len(letters)]
    name = (stem or "a") + ending
    return name if not name.startswith((".", "~")) and not name.endswith("~") else f"a{name}"[: len(name)]


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(names(), min_size=1, max_size=3, unique_by=str.casefold),
    st.sampled_from([b"good", b"bad", b"doubt"]),
)
def test_every_name_comes_to_the_end_of_its_job(found: list[str], kind: bytes) -> None:
    """Delivered, failed or approved: nothing is left, every original is there under its name."""
    with tempfile.TemporaryDirectory() as folder:
        hot_folders = HotFolders(Path(folder), ANY)
        contents = {name: kind + b" %d" % number for number, name in enumerate(found)}
        hot_folders.drop(contents)
        done = hot_folders.once()
        assert done.left == 0
        assert done.failed == (len(found) if kind == b"bad" else 0)
        assert done.delivered == (len(found) if kind == b"good" else 0)
        if kind == b"doubt":
            psds = list(hot_folders.root.glob("review/*.psd"))
            assert len(psds) == len(found)
            (hot_folders.root / "review" / "approved").mkdir()
            for psd in psds:
                # As a program does that saves a copy.
                psd.rename(hot_folders.root / "review" / "approved" / f"{psd.stem} copy.psd")
            done = hot_folders.once()
            assert (done.delivered, done.left) == (len(found), 0)
        place = "failed" if kind == b"bad" else "done"
        files = hot_folders.files(place)
        reasons = [name for name in files if name.endswith(".reason.json") and name not in contents]
        assert {name: data for name, data in files.items() if name not in reasons} == contents
        assert len(reasons) == (len(found) if kind == b"bad" else 0)
        assert len(hot_folders.files("out")) == (0 if kind == b"bad" else 2 * len(found))
        assert not any(".mattebox" in name for name in hot_folders.files())
        assert not hot_folders.files("in")


@pytest.mark.parametrize("name", ["ж" * 127 + "a", "a" * 251 + ".jpg", "字" * 83 + ".jpeg"])
@pytest.mark.parametrize("data", [b"good", b"bad"])
def test_long_names_that_clash_get_numbers(tmp_path: Path, name: str, data: bytes) -> None:
    """Of three originals and outputs of one name none is lost, though no byte is left for a number."""
    hot_folders = HotFolders(tmp_path, ANY)
    for number in range(3):
        hot_folders.drop({name: data + b" %d" % number})
        assert hot_folders.once().left == 0
    place = hot_folders.files("done" if data == b"good" else "failed")
    assert {content for content in place.values() if not content.startswith(b"{")} == {
        data + b" %d" % number for number in range(3)
    }
    assert len(hot_folders.files("out")) == (6 if data == b"good" else 0)


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"])), st.integers(0, 10**7))
def test_derived_names_fit_and_keep_their_endings(name: str, place: int) -> None:
    """At most 255 bytes, the ending still there; names that are short enough stay as they are."""
    stem, ending = split(name)
    assert stem + ending == name
    made = fit(stem, f"{ending}.reason.json")
    assert len(os.fsencode(made)) <= LONGEST
    assert made.endswith(f"{ending}.reason.json")
    if len(os.fsencode(name)) < LONGEST - 12 and stem:
        assert made == f"{name}.reason.json"
    path = Path("folder", fit(name) if fit(name) not in (".", "..") else "a")
    counted = numbered(path, place)
    assert len(os.fsencode(counted.name)) <= LONGEST
    assert (counted == path) == (place == 0)
