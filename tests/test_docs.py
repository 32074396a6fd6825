"""What the documents for developers name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("CONTRIBUTING.md", "docs/architecture.md", "docs/glossary.md", "bench/refiner/README.md")
PATHS = re.compile(r"(?<![\w/.])((?:cli|core|daemon|gimp_plugin|models|tests|bench|docs)/[\w./-]*\w/?)")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_exists(document: str) -> None:
    """A file that moved is named anew where somebody would look for it; NAME is a placeholder."""
    text = (ROOT / document).read_text(encoding="utf-8")
    named = {path for path in PATHS.findall(text) if "NAME" not in path}
    assert named, document
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_the_first_command_is_the_quick_suite() -> None:
    """CONTRIBUTING sets up and runs what needs nothing but Python."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    command = text.partition("<!-- setup -->")[2].split("```")[1]
    assert "pip install -e '.[dev]'" in command
    assert '-m "not slow and not network"' in command
