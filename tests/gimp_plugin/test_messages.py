"""What the plug-in tells of a report: every warning has its words, and one line says what to do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from mattebox.core import session
from mattebox.core.report import advice
from mattebox.gimp_plugin import connection
from mattebox.gimp_plugin.mattebox import messages


def engine_warnings() -> set[str]:
    """The names of all warnings, from the source: the first word of every Advice and of its rows."""
    found = set()
    for module in (advice, session):
        for node in ast.walk(ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8"))):
            row = (
                node.args if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Advice" else None
            )
            if isinstance(node, ast.Tuple) and len(node.elts) == 3:
                row = node.elts
            if row and isinstance(row[0], ast.Constant) and isinstance(row[0].value, str):
                found.add(row[0].value)
    return found


def test_every_warning_of_the_engine_has_words_for_gimp() -> None:
    """All but no_subject, which is an error of its own; a new warning needs a row here."""
    assert engine_warnings() == {*messages.WARNINGS, "no_subject"}


@pytest.mark.parametrize("name", messages.WARNINGS)
def test_each_warning_gives_one_line_with_something_to_do(name: str) -> None:
    """At a low confidence each is told: how sure, what is the matter, what to do."""
    line = messages.doubt("cat", {"confidence": 0.3, "warnings": [name]}, alone=True)
    matter, deed = messages.WARNINGS[name]
    assert line == f"Mattebox is 30% sure: {matter}. {deed}."
    assert "\n" not in line


def test_a_sure_cutout_without_doubts_says_nothing() -> None:
    """Nor do facts alone, such as a portrait that ends at the frame."""
    for warnings in ([], ["touches_frame"], ["low_resolution", "over_compressed"]):
        assert messages.doubt("cat", {"confidence": 0.9, "warnings": warnings}, alone=True) == ""


def test_a_doubt_is_told_at_any_confidence_and_a_low_confidence_without_any() -> None:
    """Of several layers the line names the one that it is about."""
    line = messages.doubt("cat", {"confidence": 0.9, "warnings": ["low_contrast"]}, alone=False)
    assert line.startswith("Mattebox is 90% sure of “cat”: subject and background are equally bright")
    assert messages.doubt("cat", {"confidence": 0.2, "warnings": []}, alone=True) == (
        "Mattebox is 20% sure. Look at the mask before you use it."
    )


def test_a_report_of_an_older_engine_is_no_error() -> None:
    """Unknown warnings and a missing confidence say nothing."""
    assert messages.doubt("cat", {"warnings": ["of_the_future"]}, alone=True) == ""


@pytest.mark.parametrize(
    ("source", "inside", "words"),
    [
        ("network", False, "No subject was found in the layer “cat”"),
        ("network", True, "No subject was found inside the selection"),
        ("mask", False, "The mask of the layer “cat” shows nothing"),
        ("selection", False, "The selection holds nothing of the layer “cat”"),
    ],
)
def test_nothing_found_is_one_sentence_that_says_nothing_was_changed(
    source: str, inside: bool, words: str
) -> None:
    """By what was asked: the network, within a selection, or an edge to refine."""
    said = messages.nothing_found("cat", source, inside)
    assert said.startswith(words)
    assert "nothing was changed" in said


def test_all_that_the_engine_says_while_it_works_can_be_translated() -> None:
    """Each step of the host is known to the plug-in, and so are fetches; what is not known stays."""
    assert set(connection._STEPS.values()) < set(messages.ENGINE)
    assert messages.of_engine("Fetching u2net") == "Fetching u2net"
    assert messages.of_engine("Fetching a: b: 40 %") == "Fetching a: b: 40 %"
    assert messages.of_engine("Something new") == "Something new"
    assert messages.of_engine("There is not enough memory for a layer of this size.").endswith(
        "nothing was changed."
    )


def test_the_weightiest_warning_says_what_to_do() -> None:
    """The window for clicking has room for one deed."""
    report = {"warnings": ["low_resolution", "point_not_found"]}
    assert messages.advice(report) == "Point at the middle of the subject."
    assert messages.advice({}) == ""
