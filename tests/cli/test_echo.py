"""What a file is called can neither forge a line on the screen nor turn one around."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.daemon.hot_folders import HotFolders

from mattebox import cli
from mattebox.core.text import printable
from mattebox.daemon.events import Event, log_line

ROOM = Path(str(cli.__file__)).parent
# A path that scripts read, and a sentence of ours.
RAW = {"store.folder", "store.path(network)", "_NONE_FOUND"}
FORBIDDEN = [
    chr(number) for number in (*range(32), *range(0x7F, 0xA0), 0x2028, 0x2029, 0x202E, 0x2066, 0xDCFF)
]


@given(st.text(), st.sampled_from(FORBIDDEN), st.text())
def test_no_control_character_is_printed(before: str, sign: str, after: str) -> None:
    """Whatever stands around it, it shows as an escape, on the screen and in the log."""
    name = f"{before}{sign}{after}"
    for line in (printable(name), log_line(Event("delivered", "studio", "1", {"input": name}))):
        assert not set(FORBIDDEN) & set(line)
        line.encode()


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_what_can_be_read_stays_as_it_is(text: str) -> None:
    """Letters of all scripts, marks and emoji are shown."""
    assert printable(text) == text
    assert printable("IMG\U0001f468\u200d\U0001f469.jpg") == "IMG\U0001f468\u200d\U0001f469.jpg"


def test_every_line_goes_through_the_one_place() -> None:
    """No command prints what is no constant and no JSON but by echo."""
    wrong = []
    for path in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) not in ("click.echo", "print"):
                continue
            argument = node.args[0]
            shown = ast.unparse(argument)
            safe = isinstance(argument, ast.Constant) or shown.startswith("json.dumps(") or shown in RAW
            if not safe and path.name != "echo.py":
                wrong.append(f"{path.name}:{node.lineno}: {shown}")
    assert not wrong


@pytest.mark.slow
def test_names_forge_no_line(tmp_path: Path) -> None:
    """A newline and an escape sequence in names show as escapes wherever commands name files."""
    import subprocess
    import sys

    hot = HotFolders(tmp_path)
    evil = "a\nb.jpg: done\x1b[2J\u202egpj.txt"
    hot.drop({evil: b"x", "bad\nname.jpg": b"bad"})
    hot.once()
    for command in ("simulate", "status", "retry", "once"):
        done = subprocess.run(
            [sys.executable, "-m", "mattebox.cli.main", command, str(hot.config)],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        text = done.stdout + done.stderr
        assert not {"\x1b", "\u202e"} & set(text), command
        assert not any(line.startswith(("b.jpg", "name.jpg")) for line in text.splitlines()), command
