"""The handshake: each difference that would change a byte is a sentence; each folder is tried for real."""

from __future__ import annotations

import os
import shutil
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from mattebox.core.settings import CutSettings
from mattebox.daemon.work.cluster.attempt import this_machine
from mattebox.daemon.work.cluster.handshake import (
    Place,
    Probe,
    differences,
    greet,
    probing,
    request,
    sweep,
    versions,
)
from mattebox.daemon.work.cluster.paths import PathMap, Prefix

OURS = {"versions": {"mattebox": "1", "Mattebox's own files": "ab", "numpy": "2"}, "weights": {"u2net": "f0"}}


def answer(**changes: Any) -> dict[str, Any]:
    """A worker's answer that is right but for what is changed."""
    return {
        "versions": {**OURS["versions"], **changes.get("versions", {})},
        "weights": changes.get("weights", OURS["weights"]),
        "probes": [],
    }


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"versions": {"mattebox": "2"}}, "it has mattebox 2, the daemon 1"),
        ({"versions": {"numpy": ""}}, "it has numpy (none), the daemon 2"),
        ({"versions": {"Mattebox's own files": "cd"}}, "same version and other files"),
        ({"weights": {}}, "models pull u2net"),
        ({"weights": {"u2net": "00"}}, "its weights of u2net are others"),
        ({"weights": {"u2net": "f0", "u2net in 8 bits": "11"}}, "would use u2net in 8 bits"),
    ],
)
def test_each_difference_is_one_sentence(changes: dict[str, Any], word: str) -> None:
    """What is to be done stands in it."""
    (found,) = differences(OURS, answer(**changes), [])
    assert word in found
    assert found.endswith(".")


def test_the_same_machine_has_no_difference(tmp_path: Path) -> None:
    """Real versions, real weights, a real probe; nothing is left of it."""
    cuts = [CutSettings(model="u2netp")]
    with probing([Place(tmp_path / "out" / "{tree}", True), Place(tmp_path, False)], "me", deque()) as probes:
        said = greet(request(cuts, probes))
        ours = {"versions": versions(), "weights": said["weights"]}
        assert differences(ours, said, probes) == ()
        assert len(probes) == 1
        assert any(tmp_path.iterdir())
    assert not any(tmp_path.iterdir())
    assert len(ours["versions"]["mattebox"]) > 2


def test_another_folder_under_the_same_name_is_found_out(tmp_path: Path) -> None:
    """A copy, an empty mount point, a folder that answers elsewhere, a read-only one: each is told."""
    daemon, here = tmp_path / "daemon", tmp_path / "here"
    daemon.mkdir()
    here.mkdir()
    this_machine(PathMap((Prefix(os.fspath(daemon), os.fspath(here)),)))
    try:
        with probing([Place(daemon, True)], "me", deque()) as probes:
            asked = request([], probes)
            (why,) = differences(_ours(), greet(asked), probes)
            assert "the daemon's probe is not there" in why
            assert os.fspath(here) in why
            shutil.copy(daemon / probes[0].name, here)
            (why,) = differences(_ours(), greet(asked), probes)
            assert "does not arrive here" in why
            (here / probes[0].name).write_text("other", encoding="ascii")
            (why,) = differences(_ours(), greet(asked), probes)
            assert "another folder" in why
            shutil.rmtree(here)
            here.symlink_to(daemon)
            assert differences(_ours(), greet(asked), probes) == ()
    finally:
        this_machine(PathMap())


def test_a_folder_that_is_only_read_needs_no_answer(tmp_path: Path) -> None:
    """Originals that stay may lie on a read-only share; that it is there is all that is asked."""
    with probing([Place(tmp_path, False)], "me", deque()) as probes:
        assert differences(_ours(), greet(request([], probes)), probes) == ()
        assert not list(tmp_path.glob("*-answer"))


def test_what_a_killed_daemon_left_is_swept_and_nobody_elses(tmp_path: Path) -> None:
    """Probes of another daemon, which may be asking just now, stay."""
    place = Place(tmp_path / "out", True)
    with probing([place], "other", deque()):
        (tmp_path / ".mattebox-probe-me-1").write_text("left", encoding="ascii")
        (tmp_path / ".mattebox-probe-me-1-answer").write_text("left", encoding="ascii")
        sweep([place], "me")
        (kept,) = tmp_path.iterdir()
        assert kept.name.startswith(".mattebox-probe-other-")


def test_probes_whose_share_went_away_go_when_it_is_back(tmp_path: Path) -> None:
    """What was not there to be removed is removed with the next ones; nothing of theirs stays."""
    share, away = tmp_path / "share", tmp_path / "away"
    share.mkdir()
    lost: deque[Probe] = deque()
    place = Place(share, True)
    with probing([place], "me", lost) as probes:
        greet(request([], probes))
        share.rename(away)
        share.mkdir()  # its mount point
    assert len(lost) == 1
    with probing([place], "me", lost):
        share.rename(tmp_path / "point")
        away.rename(share)
    assert len(lost) == 2
    with probing([place], "me", lost):
        pass
    assert list(share.iterdir()) == []


def _ours() -> dict[str, dict[str, str]]:
    return {"versions": versions(), "weights": {}}
