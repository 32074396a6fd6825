"""`mattebox models` says what there is, and its exit status says whether it worked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mattebox.models.catalogue import load_catalogue

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Runner = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def mattebox(tmp_path: Path) -> Runner:
    """Runs the command offline with an empty cache; gives the completed process."""

    def run(*arguments: str, columns: int = 80) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "MATTEBOX_MODELS": str(tmp_path / "cache"), "MATTEBOX_OFFLINE": "1"}
        environment["COLUMNS"] = str(columns)
        return subprocess.run(
            [sys.executable, "-m", "mattebox.cli.main", "models", *arguments],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
        )

    return run


def test_list_names_every_network(mattebox: Runner) -> None:
    """The table has a row a network, also in 80 columns, and the JSON has the licences."""
    table = mattebox("list")
    assert table.returncode == 0
    first_words = {line.split()[0] for line in table.stdout.splitlines() if line.split()}
    assert set(load_catalogue()) <= first_words
    rows = {row["name"]: row for row in json.loads(mattebox("list", "--json").stdout)}
    assert rows["bria-rmbg"]["commercial"] is False
    assert rows["u2net"]["licence"] == "Apache-2.0"
    assert rows["u2net"]["training_data"] == "restricted"
    assert "DUTS-TR" in rows["u2net"]["training_source"]
    assert rows["u2net"]["here"] is False


@pytest.mark.parametrize("columns", [60, 80, 100, 119, 120, 200])
def test_list_says_licence_and_training_data_in_words(mattebox: Runner, columns: int) -> None:
    """Both facts stand in each row, headings and words are whole, and each network's sets are named."""
    text = mattebox("list", columns=columns).stdout
    assert "…" not in text
    head = text[: text.index("───")].split()
    assert sorted(set(head) - {"MB", "Pixels", "For"}) == sorted(
        {"Network", "Here", "Licence", "of", "the", "weights", "Commercial", "use", "by", "licence"}
        | {"Training", "data"}
    )
    lines = {line.split()[0]: " ".join(line.split()) for line in text.splitlines() if line.split()}
    for name, network in load_catalogue().items():
        assert network.training_data in lines[name], lines[name]
        assert {True: "allowed", False: "forbidden", None: "not stated"}[network.commercial] in lines[name]
        assert network.training_source in " ".join(text.split())


def test_list_for_commercial_use_asks_for_both_facts(mattebox: Runner) -> None:
    """`--commercial` leaves what is sure; where nothing is, a sentence says so and the JSON is empty."""
    rows = json.loads(mattebox("list", "--commercial", "--json").stdout)
    sure = [name for name, network in load_catalogue().items() if network.is_surely_commercial]
    assert [row["name"] for row in rows] == sure
    told = mattebox("list", "--commercial")
    assert told.returncode == 0
    if not sure:
        assert told.stdout.startswith("No network has both a licence that allows commercial use and training")


def test_pull_checks_names_before_it_fetches(mattebox: Runner) -> None:
    """One unknown name among several is wrong use: exit status 2, one sentence, nothing fetched."""
    done = mattebox("pull", "u2netp", "u2nett")
    assert done.returncode == 2
    assert "did you mean u2net" in done.stderr
    assert "Traceback" not in done.stderr


def test_pull_refuses_a_licence_that_was_not_accepted(mattebox: Runner) -> None:
    """A non-commercial licence is wrong use until it is accepted."""
    done = mattebox("pull", "bria-rmbg")
    assert done.returncode == 2
    assert "--accept-licence" in done.stderr


def test_pull_offline_is_a_sentence(mattebox: Runner) -> None:
    """Offline, weights that are missing end in exit status 1 and one sentence."""
    done = mattebox("pull", "u2netp")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "MATTEBOX_OFFLINE" in done.stderr


def test_add_refuses_a_wrong_file(mattebox: Runner, tmp_path: Path) -> None:
    """A file that is not the network is refused with exit status 1."""
    (tmp_path / "x.onnx").write_bytes(b"x")
    done = mattebox("add", "u2netp", str(tmp_path / "x.onnx"))
    assert done.returncode == 1
    assert "It was not added" in done.stderr


def test_path_tells_where_and_whether(mattebox: Runner, tmp_path: Path) -> None:
    """Without a name the folder is printed; with one the file, and exit status 1 if it is missing."""
    assert mattebox("path").stdout.strip() == str(tmp_path / "cache")
    done = mattebox("path", "u2netp")
    assert done.stdout.strip() == str(tmp_path / "cache" / "u2netp.onnx")
    assert done.returncode == 1


def test_verify_finds_damage(mattebox: Runner, tmp_path: Path) -> None:
    """Verify without names reads what is here, and damage is exit status 1."""
    assert mattebox("verify").returncode == 0
    (tmp_path / "cache").mkdir(exist_ok=True)
    (tmp_path / "cache" / "u2netp.onnx").write_bytes(b"x")
    done = mattebox("verify")
    assert done.returncode == 1
    assert "damaged" in done.stderr


@pytest.mark.slow
def test_the_promptable_network_is_not_optimised(mattebox: Runner) -> None:
    """A network whose masks 8-bit integers spoil is refused before anything is tried, with the reason."""
    ran = mattebox("optimize", "mobile-sam")
    assert ran.returncode == 1
    assert "8-bit integers" in ran.stderr
