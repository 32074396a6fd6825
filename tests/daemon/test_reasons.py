"""A reason names the user's own file and says one thing to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

CONFIG = """
version: 1
state: ./state
engine: {model: u2netp, workers: 1}
folders:
  - name: studio
    watch: ./in
    settle: 0s
    attempts: 1
    done: ./done
    failed: ./failed
    rules:
      - name: all
        cut: {quality: fast}
        deliver: [{format: png, to: "./out/{stem}.png"}]
"""


def whole_and_damaged() -> bytes:
    """A PNG of sound structure whose pixels cannot be unpacked: only the work finds that."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    head = (64).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    body = chunk(b"IHDR", head) + chunk(b"IDAT", b"\x78\x9c" + b"\xff" * 200) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.network
def test_a_reason_names_the_users_file_and_not_the_work_folders(tmp_path: Path) -> None:
    """What fails in the work is told under the path where the user put it, on the screen and in the file."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/bad.png").write_bytes(whole_and_damaged())
    (tmp_path / "c.yaml").write_text(CONFIG, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mattebox.cli.main", "once", tmp_path / "c.yaml"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "MATTEBOX_OFFLINE": "1"},
    )
    assert done.returncode == 1
    reason = json.loads((tmp_path / "failed/bad.png.reason.json").read_text(encoding="utf-8"))
    name = str(tmp_path / "in/bad.png")
    assert reason["input"] == name
    assert reason["what"].startswith(f"{name}: ")
    assert ".mattebox" not in reason["what"] + reason["do"] + done.stderr + done.stdout
    assert "(" not in reason["what"]
    assert done.stderr.count(name) == 1
