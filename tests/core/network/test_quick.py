"""The 8-bit form of a network comes by itself, once, and never against anybody's will."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mattebox.core.network.device import usable_kinds
from mattebox.core.network.quick import make_quick, wants_full
from mattebox.models.catalogue import find_network
from mattebox.models.optimised import find_optimised, remove_optimised, was_tried
from mattebox.models.progress import Silent
from mattebox.models.ranges import find_ranges
from mattebox.models.store import Store

if TYPE_CHECKING:
    from pathlib import Path

U2NET = find_network("u2net")


class Heard(Silent):
    """A Progress that keeps the lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        """Keep it."""
        self.lines.append(line)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks for the original."""
    monkeypatch.delenv("MATTEBOX_PRECISION")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store of its own with u2net's weights."""
    shared = Store()
    weights = shared.ensure(U2NET)
    store = Store(tmp_path, progress=Heard())
    try:
        os.link(weights, store.path(U2NET))
    except OSError:  # another disk
        store.path(U2NET).symlink_to(weights)
    assert store.find(U2NET) is not None
    return store


@pytest.mark.slow
@pytest.mark.network
def test_it_is_made_once_and_told_and_stays_away_when_it_was_sent_away(asked: None, store: Store) -> None:
    """The first call makes it or says why not, the second does nothing, and a removal is for good."""
    heard = store.progress
    assert isinstance(heard, Heard)
    make_quick(store, U2NET)
    assert len(heard.lines) == 2
    assert "precision: full brings" in heard.lines[1] or "u2net stays as it is" in heard.lines[1]
    found = find_optimised(store, U2NET, usable_kinds())
    assert (found is not None) == ("quicker from now on" in heard.lines[1])
    assert was_tried(store, U2NET)
    if found is not None:
        assert found[1].iou >= 0.9
    make_quick(store, U2NET)
    assert len(heard.lines) == 2
    remove_optimised(store, U2NET)
    make_quick(store, U2NET)
    assert len(heard.lines) == 2
    assert find_optimised(store, U2NET) is None


@pytest.mark.slow
@pytest.mark.network
def test_a_process_that_dies_leaves_the_original_in_use(
    asked: None, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes wrong while it is made is told in words, and is no error."""
    monkeypatch.setattr(sys, "executable", "false")
    make_quick(store, U2NET)
    assert isinstance(store.progress, Heard)
    assert store.progress.lines[-1] == "u2net stays as it is: it could not be done."
    assert was_tried(store, U2NET)
    assert find_optimised(store, U2NET) is None


@pytest.mark.slow
@pytest.mark.network
def test_where_the_original_is_asked_for_nothing_is_made(
    asked: None, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the setting, by the variable, or for another device."""
    make_quick(store, U2NET, "full")
    make_quick(store, U2NET, "float32")
    make_quick(store, U2NET, device="openvino")
    monkeypatch.setenv("MATTEBOX_PRECISION", "full")
    make_quick(store, U2NET)
    assert isinstance(store.progress, Heard)
    assert store.progress.lines == []
    assert not was_tried(store, U2NET)


def test_the_variable_gives_way_to_the_setting_and_not_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """MATTEBOX_PRECISION=full means auto alone; full stays full without it."""
    for value, full in (("full", True), ("float32", True), ("FULL", True), ("auto", False), ("", False)):
        monkeypatch.setenv("MATTEBOX_PRECISION", value)
        assert wants_full("auto") is full
        assert wants_full("full")
        assert wants_full("float32")


def test_ranges_belong_to_one_state_of_the_weights() -> None:
    """Other weights under the name have none; each has its least value first, and all are finite."""
    found = find_ranges(U2NET)
    assert found
    assert all(low <= high for low, high in found.values())
    assert find_ranges(replace(U2NET, sha256="0" * 64)) is None
    assert find_ranges(find_network("u2netp")) is None
