"""README is true: its YAML is valid and its commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mattebox.cli.main import COMMANDS
from mattebox.daemon.load import load_config

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_yaml_block_is_a_right_configuration(tmp_path: Path) -> None:
    """What a reader copies passes `mattebox check`."""
    blocks = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    assert blocks
    for number, block in enumerate(blocks):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block, encoding="utf-8")
        assert load_config(path).config.folders


def test_every_command_exists() -> None:
    """Each `mattebox NAME` that README shows is a command of ours."""
    shown = set(re.findall(r"^    mattebox ([a-z]+)", README, flags=re.MULTILINE))
    assert shown
    assert shown <= set(COMMANDS)


@pytest.mark.parametrize("name", ["install", "tests"])
def test_the_two_commands_are_marked_for_ci(name: str) -> None:
    """.ci/run finds README's commands by their marks."""
    assert re.search(rf"^<!-- {name} -->\n```sh\n(.+)\n```$", README, flags=re.MULTILINE)


def test_every_picture_is_there() -> None:
    """A picture that README shows is in the repository."""
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README)
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)
