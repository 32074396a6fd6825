"""A reason names the user's own file and says one thing to do."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

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
    """A JPEG of sound structure without its quantisation tables: only who decodes it finds that."""
    whole = io.BytesIO()
    Image.effect_noise((64, 64), 90).save(whole, "JPEG")
    return whole.getvalue().replace(b"\xff\xdb", b"\xff\xfe")


@pytest.mark.network
def test_a_reason_names_the_users_file_and_not_the_work_folders(tmp_path: Path) -> None:
    """What fails in the work is told under the path where the user put it, on the screen and in the file."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/bad.jpg").write_bytes(whole_and_damaged())
    (tmp_path / "c.yaml").write_text(CONFIG, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mattebox.cli.main", "once", tmp_path / "c.yaml"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "MATTEBOX_OFFLINE": "1"},
    )
    assert done.returncode == 1
    reason = json.loads((tmp_path / "failed/bad.jpg.reason.json").read_text(encoding="utf-8"))
    name = str(tmp_path / "in/bad.jpg")
    assert reason["input"] == name
    assert reason["what"].startswith(f"{name}: ")
    assert ".mattebox" not in reason["what"] + reason["do"] + done.stderr + done.stdout
    assert "(" not in reason["what"]
    assert done.stderr.count(name) == 1
