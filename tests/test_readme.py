"""README and docs/ are true: their YAML is valid, and each of their commands is understood."""

from __future__ import annotations

import re
import shlex
from importlib.metadata import metadata
from pathlib import Path

import pytest
from tests.spoken import understood

from mattebox.daemon.config.load import load_config

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("README.md", "docs/install.md", "docs/command.md", "docs/service.md", "docs/table.md")
PAGES = [ROOT / name for name in NAMES]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_yaml_block_is_a_right_configuration(page: Path, tmp_path: Path) -> None:
    """What a reader copies passes `mattebox check`."""
    blocks = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert blocks or page.name not in {"README.md", "command.md"}
    for number, block in enumerate(blocks):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block, encoding="utf-8")
        assert load_config(path).config.folders


def shown(page: Path) -> list[list[str]]:
    """The words of each `mattebox …` line of a page, without what is said about it after two blanks."""
    lines = re.findall(r"^    (mattebox .+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [shlex.split(re.split(r" {2,}", line)[0])[1:] for line in lines]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_is_understood(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each `mattebox …` of a page is parsed by the command itself: names, options, values, settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("strokes.png", "mask.png"):  # the command looks whether these are there
        Path(name).touch()
    assert shown(page)
    for words in shown(page):
        understood(words)


def test_every_extra_is_offered_and_told() -> None:
    """The extras that docs/install.md names are the package's, all but what developers need."""
    told = set(re.findall(r"^\| `([a-z]+)` \|", (ROOT / "docs/install.md").read_text("utf-8"), re.MULTILINE))
    offered = set(metadata("mattebox").get_all("Provides-Extra") or ())
    assert told
    assert told <= offered
    assert offered - told <= {"dev", "refiner", "gpu"}


@pytest.mark.parametrize("name", ["install", "tests"])
def test_the_two_commands_are_marked_for_ci(name: str) -> None:
    """.ci/run finds README's commands by their marks."""
    assert re.search(rf"^<!-- {name} -->\n```sh\n(.+)\n```$", README, flags=re.MULTILINE)


def test_every_picture_is_there() -> None:
    """A picture that README shows is in the repository."""
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README)
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)
