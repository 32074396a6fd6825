"""What the plug-in says of networks: which would be fetched, what is asked first, what a licence forbids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mattebox.gimp_plugin.mattebox.networks import JUDGE, facts_of, judge_of, missing_of, refused_licence
from mattebox.models.catalogue import PROMPTABLE

CATALOGUE: dict[str, Any] = {
    "u2net": {"file": "u2net.onnx", "size": 175_997_641, "licence": "Apache-2.0", "commercial": True},
    "fine": {"file": "fine.onnx", "size": 973_000_000, "licence": "CC BY-NC 4.0", "commercial": False},
    "bare": {"file": "bare.onnx", "size": 4_700_000, "licence": "nothing", "commercial": None},
    JUDGE: {"file": "judge.pt", "size": 40_728_226, "licence": "Apache-2.0", "commercial": True},
}
NETWORKS = [["u2net", "u2net"], ["fine", "fine"], ["bare", "bare"]]


def test_the_judge_is_the_catalogues() -> None:
    """The plug-in, which imports nothing of ours, has the name of the network that answers clicks."""
    assert JUDGE == PROMPTABLE
    assert judge_of({}, "/nowhere") is None


@pytest.mark.parametrize(
    ("name", "quality", "here", "missing"),
    [
        ("u2net", "balanced", ("u2net.onnx", "judge.pt"), []),
        ("u2net", "balanced", ("u2net.onnx",), [JUDGE]),
        ("u2net", "best", ("u2net.onnx",), [JUDGE]),
        ("u2net", "fast", ("u2net.onnx",), []),
        ("fine", "balanced", ("u2net.onnx",), ["fine", JUDGE]),
        ("fine", "fast", (), ["fine"]),
    ],
)
def test_what_is_missing_is_asked_about(
    tmp_path: Path, name: str, quality: str, here: tuple[str, ...], missing: list[str]
) -> None:
    """The chosen network, and the judge where the quality wants it."""
    for file in here:
        (tmp_path / file).touch()
    networks = facts_of(NETWORKS, CATALOGUE, str(tmp_path))
    found = missing_of(networks, judge_of(CATALOGUE, str(tmp_path)), name, quality)
    assert [row.name for row in found] == missing


def test_a_question_names_size_and_licence(tmp_path: Path) -> None:
    """Before a fetch a person reads how much comes, and what may be done with it."""
    row = facts_of(NETWORKS, CATALOGUE, str(tmp_path))[1]
    assert row.question == "The network “fine” is not on this computer. Fetch it now (973 MB)?"
    assert row.licence_words == "Its licence (CC BY-NC 4.0) forbids commercial use."
    assert row.choice == "fine, 973 MB to fetch, not for commercial use"


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ({"model": "fine"}, True),
        ({"model": "fine", "accept_licence": True}, False),
        ({"model": "u2net"}, False),
        ({"model": "bare"}, False),
        ({}, False),
    ],
)
def test_a_licence_that_forbids_is_a_sentence_with_the_boxs_name(
    tmp_path: Path, settings: dict[str, Any], refused: bool
) -> None:
    """Only where nobody has agreed to it."""
    said = refused_licence(facts_of(NETWORKS, CATALOGUE, str(tmp_path)), settings, "Accept it")
    assert bool(said) is refused
    assert not refused or said.startswith(
        "Its licence (CC BY-NC 4.0) forbids commercial use. Tick “Accept it”"
    )
