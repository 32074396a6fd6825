"""Companions: what belongs to a photo moves with it, is never lost and never overwritten."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.daemon.hot_folders import CONFIG, HotFolders, until

from mattebox.daemon.config.companions import SIDECARS, CompanionRules, renamed
from mattebox.daemon.config.load import load_config
from mattebox.daemon.delivery.deliver import Delivery
from mattebox.daemon.errors import ConfigError
from mattebox.daemon.journal.journal import Journal
from mattebox.daemon.report.status import gather
from mattebox.daemon.simulate import simulate

if TYPE_CHECKING:
    from pathlib import Path

REVIEW = CONFIG.replace("        deliver", "        review: {below: 0.5, to: ./review}\n        deliver")


def with_keys(keys: str, text: str = CONFIG) -> str:
    """A configuration whose folder says more."""
    return text.replace("    settle", f"    {keys}\n    settle")


def originals(hot_folders: HotFolders) -> dict[str, bytes]:
    """All that is not an output or a review."""
    return {
        name: data
        for name, data in hot_folders.files().items()
        if not name.startswith(("out/", "review/")) and not name.endswith(".reason.json")
    }


def retry(hot_folders: HotFolders) -> None:
    """What `mattebox retry` does."""
    journal = Journal(hot_folders.root / "state", lock=False)
    for job in journal.jobs("failed"):
        Delivery(journal).return_original(job)
    journal.close()


@pytest.mark.slow
@pytest.mark.parametrize("whole", [True, False])
def test_each_known_sidecar_goes_with_its_photo(tmp_path: Path, *, whole: bool) -> None:
    """NAME.jpg.ENDING and NAME.ENDING lie beside the photo in done/, whatever the case of their endings."""
    hot_folders = HotFolders(tmp_path)
    tree = {"sub/b.txt": b"no companion"}
    for ending in SIDECARS:
        name = f"{ending}.jpg.{ending}" if whole else f"{ending}.{ending.upper()}"
        tree |= {f"sub/{ending}.jpg": ending.encode(), f"sub/{name}": b"mine"}
    hot_folders.drop(tree)
    hot_folders.once()
    assert originals(hot_folders) == {
        f"{'in' if name.endswith('txt') else 'done'}/{name}": data for name, data in tree.items()
    }


@pytest.mark.slow
def test_a_failed_photo_takes_its_companions_along_and_back(tmp_path: Path) -> None:
    """They are in failed/ beside it, and come back to the watched folder with `retry`."""
    hot_folders = HotFolders(tmp_path)
    tree = {"a.jpg": b"bad", "a.xmp": b"stars", "a.jpg.dop": b"recipe"}
    hot_folders.drop(tree)
    hot_folders.once()
    assert originals(hot_folders) == {f"failed/{name}": data for name, data in tree.items()}
    retry(hot_folders)
    assert originals(hot_folders) == {f"in/{name}": data for name, data in tree.items()}


@pytest.mark.slow
def test_a_name_that_is_taken_gives_all_the_same_number(tmp_path: Path) -> None:
    """A second a.jpg goes to done/ as a-2.jpg, its sidecars as a-2.xmp and a-2.jpg.pp3."""
    hot_folders = HotFolders(tmp_path)
    for number in (b"1", b"2"):
        hot_folders.drop({"a.jpg": number, "a.xmp": b"x" + number, "a.jpg.pp3": b"p" + number})
        hot_folders.once()
    assert originals(hot_folders) == {
        "done/a.jpg": b"1",
        "done/a.xmp": b"x1",
        "done/a.jpg.pp3": b"p1",
        "done/a-2.jpg": b"2",
        "done/a-2.xmp": b"x2",
        "done/a-2.jpg.pp3": b"p2",
    }


@pytest.mark.slow
def test_a_sidecar_that_comes_late_follows_its_photo_once(tmp_path: Path) -> None:
    """It goes to done/ beside its photo, is told of, and never replaces one that is there."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.jpg": b"one"})
    hot_folders.once()
    for number, name in enumerate(("a.xmp", "a-2.xmp"), 1):
        hot_folders.drop({"a.xmp": b"late %d" % number})
        hot_folders.once()
        assert hot_folders.files("done")[name] == b"late %d" % number
    assert [event.values["path"] for event in hot_folders.events_named("followed")] == ["a.xmp"] * 2
    assert not hot_folders.files("in")


@pytest.mark.slow
def test_a_sidecar_without_its_photo_stays_and_is_no_photo(tmp_path: Path) -> None:
    """It is neither cut, nor failed, nor named as left alone; when its photo comes it goes along."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.xmp": b"stars"})
    done = hot_folders.once()
    assert (done.delivered, done.failed, done.left) == (0, 0, 0)
    assert not hot_folders.events_named("left-alone")
    (folder,) = gather(load_config(hot_folders.config))["folders"]
    assert (folder["waiting"], folder["left_alone"]) == (0, 0)
    assert originals(hot_folders) == {"in/a.xmp": b"stars"}
    hot_folders.drop({"a.jpg": b"one"})
    hot_folders.once()
    assert originals(hot_folders) == {"done/a.jpg": b"one", "done/a.xmp": b"stars"}


@pytest.mark.slow
def test_a_sidecar_of_a_photo_of_long_ago_stays(tmp_path: Path) -> None:
    """Cameras use names again: a day after its photo a sidecar is that of another one."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"a.jpg": b"one"})
    hot_folders.once()
    journal = Journal(tmp_path / "state")
    journal._db.execute("UPDATE jobs SET updated = ?", (time.time() - 90_000,))
    journal.close()
    hot_folders.drop({"a.xmp": b"of the next one"})
    hot_folders.once()
    assert hot_folders.files("in") == {"a.xmp": b"of the next one"}


@pytest.mark.slow
def test_companions_wait_with_their_photo_in_review(tmp_path: Path) -> None:
    """A new photo of the same name during a review takes its own sidecar, and each ends with its own."""
    hot_folders = HotFolders(tmp_path, REVIEW)
    hot_folders.drop({"a.jpg": b"doubt", "a.xmp": b"of the first"})
    hot_folders.once()
    hot_folders.drop({"a.jpg": b"two", "a.xmp": b"of the second"})
    hot_folders.once()
    approved = tmp_path / "review" / "approved"
    approved.mkdir()
    (psd,) = (tmp_path / "review").glob("*.psd")
    psd.rename(approved / psd.name)
    hot_folders.once()
    assert originals(hot_folders) == {
        "done/a.jpg": b"two",
        "done/a.xmp": b"of the second",
        "done/a-2.jpg": b"doubt",
        "done/a-2.xmp": b"of the first",
    }


@pytest.mark.slow
def test_what_two_photos_share_goes_with_the_last(tmp_path: Path) -> None:
    """A RAW and its JPEG are both cut by default, and a.xmp is beside both in the end."""
    hot_folders = HotFolders(tmp_path)
    tree = {"a.nef": b"raw", "a.jpg": b"jpeg", "a.xmp": b"stars"}
    hot_folders.drop(tree)
    assert hot_folders.once().delivered == 2
    assert originals(hot_folders) == {f"done/{name}": data for name, data in tree.items()}


@pytest.mark.slow
@pytest.mark.parametrize(("pairs", "cut"), [("raw", b"raw"), ("jpeg", b"jpeg")])
def test_of_a_pair_one_is_cut_and_the_other_travels(tmp_path: Path, pairs: str, cut: bytes) -> None:
    """The outputs are those of the one that is named; a photo without the other is cut as ever."""
    hot_folders = HotFolders(tmp_path, with_keys(f"pairs: {pairs}"))
    tree = {
        "a.NEF": b"raw",
        "a.JPG": b"jpeg",
        "a.jpg.xmp": b"stars",
        "b.jpg": b"alone",
        "b.xmp": b"b",
        "c.nef": b"alone",
    }
    hot_folders.drop(tree)
    shown = {answer["path"]: answer["companion"] for answer in simulate(load_config(hot_folders.config))}
    assert sum(shown.values()) == 3
    assert hot_folders.once().delivered == 3
    assert originals(hot_folders) == {f"done/{name}": data for name, data in tree.items()}
    assert hot_folders.files("out")["a.png"] == b"png:" + cut
    assert len(hot_folders.files("out")) == 6


@pytest.mark.slow
def test_the_other_of_a_pair_follows_when_it_comes_late(tmp_path: Path) -> None:
    """A JPEG that comes when its RAW is done is not cut; what comes when the RAW came back is."""
    hot_folders = HotFolders(tmp_path, with_keys("pairs: raw"))
    hot_folders.drop({"a.nef": b"raw"})
    hot_folders.once()
    hot_folders.drop({"a.jpg": b"jpeg"})
    assert hot_folders.once().delivered == 0
    assert originals(hot_folders) == {"done/a.nef": b"raw", "done/a.jpg": b"jpeg"}


@pytest.mark.slow
def test_a_photo_waits_for_its_pair_to_settle(tmp_path: Path) -> None:
    """The RAW is whole and its JPEG still grows: both are taken together, once it has ended."""
    hot_folders = HotFolders(tmp_path, with_keys("pairs: raw").replace("10ms", "300ms"))
    with hot_folders.watching():
        hot_folders.drop({"a.nef": b"raw"})
        target = tmp_path / "in" / "a.jpg"
        for number in range(12):
            with target.open("ab") as file:
                file.write(b"%d" % (number % 10))
            time.sleep(0.05)
        until((tmp_path / "done" / "a.jpg").exists)
    assert hot_folders.files("done") == {"a.nef": b"raw", "a.jpg": b"012345678901"}


@pytest.mark.slow
def test_a_pair_whose_cut_one_no_rule_takes_is_not_joined(tmp_path: Path) -> None:
    """Where no rule wants the RAW, its JPEG is cut all the same."""
    text = with_keys("pairs: raw").replace(
        "      - name: all\n", "      - name: all\n        when: {extension: jpg}\n"
    )
    hot_folders = HotFolders(tmp_path, text)
    hot_folders.drop({"a.nef": b"raw", "a.jpg": b"jpeg"})
    assert hot_folders.once().delivered == 1
    assert originals(hot_folders) == {"done/a.jpg": b"jpeg", "in/a.nef": b"raw"}


@pytest.mark.slow
@pytest.mark.parametrize("keys", ["companions: false", "originals: keep"])
def test_nothing_moves_where_nothing_shall(tmp_path: Path, keys: str) -> None:
    """Without companions, and where originals stay, sidecars stay too."""
    hot_folders = HotFolders(tmp_path, with_keys(keys))
    hot_folders.drop({"a.jpg": b"one", "a.xmp": b"stars"})
    assert hot_folders.once().delivered == 1
    assert hot_folders.files("in")["a.xmp"] == b"stars"


@pytest.mark.slow
def test_a_list_names_the_endings_that_count(tmp_path: Path) -> None:
    """`companions: [.MOV, txt]` takes these and no others."""
    hot_folders = HotFolders(tmp_path, with_keys("companions: [.MOV, txt]"))
    hot_folders.drop({"a.jpg": b"one", "a.mov": b"live", "a.txt": b"note", "a.xmp": b"stars"})
    hot_folders.once()
    assert set(originals(hot_folders)) == {"done/a.jpg", "done/a.mov", "done/a.txt", "in/a.xmp"}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("companions: [jpg]", "jpg is a photo's ending"),
        ("companions: [a/b]", "write endings of companions"),
        ("pairs: first", "write both, raw or jpeg"),
    ],
)
def test_wrong_keys_are_told(tmp_path: Path, keys: str, said: str) -> None:
    """Each mistake has a place and a sentence."""
    hot_folders = HotFolders(tmp_path, with_keys(keys))
    with pytest.raises(ConfigError, match=rf"config\.yaml:7:\d+: .*{said}"):
        load_config(hot_folders.config)


@pytest.mark.slow
def test_a_photo_taken_away_leaves_its_companions_in_sight(tmp_path: Path) -> None:
    """Somebody takes an original out of the work folder: its sidecar is back in the watched folder."""
    hot_folders = HotFolders(tmp_path, REVIEW)
    hot_folders.drop({"a.jpg": b"doubt", "a.xmp": b"stars"})
    hot_folders.once()
    (work,) = (tmp_path / "in" / ".mattebox").rglob("a.jpg")
    work.unlink()
    approved = tmp_path / "review" / "approved"
    approved.mkdir()
    (psd,) = (tmp_path / "review").glob("*.psd")
    psd.rename(approved / psd.name)
    hot_folders.once()
    assert hot_folders.files("in") == {"a.xmp": b"stars"}


@pytest.mark.slow
def test_orphans_come_back_with_their_companions(tmp_path: Path) -> None:
    """With the journal gone all go back, under one number where a name is taken."""
    hot_folders = HotFolders(tmp_path, REVIEW)
    hot_folders.drop({"a.jpg": b"doubt", "a.dop": b"recipe", "a.jpg.xmp": b"stars"})
    hot_folders.once()
    os.rename(tmp_path / "state", tmp_path / "old")  # noqa: PTH104 - as a person would
    hot_folders.text = hot_folders.text.replace("./review", "./review2")
    hot_folders.config.write_text(hot_folders.text.replace('"sub', '"sub'), encoding="utf-8")
    hot_folders.drop({"a.jpg": b"doubt, another"})
    hot_folders.once()
    found = {name for name in hot_folders.files("in") if name.startswith(".mattebox")}
    names = {name.rpartition("/")[2] for name in found}
    assert names == {"a.jpg", "a-2.jpg", "a-2.dop", "a-2.jpg.xmp"}


STEMS = st.text("ab.-_ é", min_size=1, max_size=6).filter(lambda text: text.strip(". ") == text)


@given(stem=STEMS, ending=st.sampled_from(["xmp", "pp3"]), number=st.integers(2, 99), whole=st.booleans())
def test_a_companion_belongs_to_its_photo_under_every_new_name(
    stem: str, ending: str, number: int, *, whole: bool
) -> None:
    """What belonged to NAME belongs to NAME-2 once both are renamed, and to no other photo."""
    rules = CompanionRules(SIDECARS, "both")
    photo, final = f"{stem}.jpg", f"{stem}-{number}.jpg"
    name = f"{photo if whole else stem}.{ending}"
    assert rules.belong(name, photo)
    moved = renamed(name, photo, final)
    assert rules.belong(moved, final)
    assert not rules.belong(moved, photo)
    assert renamed(moved, final, photo) == name


@pytest.mark.slow
def test_a_photo_without_an_ending_and_a_link_are_named(tmp_path: Path) -> None:
    """Nobody takes them, and both `simulate` and a run say so."""
    hot_folders = HotFolders(tmp_path)
    hot_folders.drop({"IMG_1": b"a photo"})
    (tmp_path / "elsewhere.jpg").write_bytes(b"linked")
    (tmp_path / "in" / "link.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    shown = " ".join(str(answer) for answer in simulate(load_config(hot_folders.config)))
    hot_folders.once()
    told = " ".join(str(event.values) for event in hot_folders.events)
    for text in (shown, told):
        assert "IMG_1" in text
        assert "its ending (none) is not a photo's" in text
        assert "link.jpg" in text
        assert "links are not followed" in text
