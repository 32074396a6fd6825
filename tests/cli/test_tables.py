"""Tables stay whole on terminals of any width."""

from __future__ import annotations

import ast
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from mattebox.cli.rows import show_rows

ROOT = Path(__file__).resolve().parents[2]
HEADINGS = ("Folder", "Waiting", "Settling", "Working", "Done", "Review", "Failed", "A minute", "Oldest")


def drawn(width: int, rows: list[list[str]]) -> str:
    """What a terminal of that width shows."""
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    show_rows(console, HEADINGS, rows)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@given(
    width=st.integers(20, 200),
    name=st.text("abcdefghij-_", min_size=1, max_size=60),
    number=st.integers(0, 10**9),
)
def test_no_heading_and_no_value_is_cut(width: int, name: str, number: int) -> None:
    """At every width each heading, number and letter of a name is shown, and nothing is abbreviated."""
    shown = drawn(width, [[name, *[str(number)] * 7, "3 d"]])
    assert all(heading in shown for heading in HEADINGS)
    assert shown.count(str(number)) >= 7
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    assert set(name) <= set(shown)


@pytest.mark.parametrize("width", [80, 120])
def test_at_80_columns_status_is_a_table(width: int) -> None:
    """All headings of `mattebox status` stand in one line at the usual width, and no line is longer."""
    lines = drawn(width, [["packshots-of-the-studio", "12", "0", "2", "1234", "3", "5", "14.2", "12 m"]])
    assert any(all(heading in line for heading in HEADINGS) for line in lines.splitlines())
    assert all(len(line) <= width for line in lines.splitlines())


def test_no_other_module_of_the_command_draws_tables_of_its_own() -> None:
    """Rich's tables are made in cli/rows.py, and in cli/models.py, whose test looks at 80 columns itself."""
    drawing = set()
    for path in (ROOT / "cli").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "rich.table":
                drawing.add(path.name)
    assert drawing <= {"rows.py", "models.py"}
