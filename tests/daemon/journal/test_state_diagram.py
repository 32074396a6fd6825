"""docs/architecture.md shows the states that the daemon has."""

from __future__ import annotations

from pathlib import Path

from tests.daemon.journal.state_diagram import diagram

PAGE = Path(__file__).resolve().parents[3] / "docs" / "architecture.md"


def test_the_page_shows_the_states_of_the_code() -> None:
    """The page's diagram is the one that `python -m tests.daemon.journal.state_diagram` prints."""
    assert diagram() in PAGE.read_text(encoding="utf-8")
