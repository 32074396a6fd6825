"""A command loads what it needs and nothing else."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

HEAVY = ("numpy", "cv2", "onnxruntime", "PIL", "psd_tools", "openvino", "rich", "pip")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["cut", "--help"],
        ["models", "--help"],
        ["models", "path"],
        ["doctor", "--help"],
    ],
    ids=" ".join,
)
def test_light_commands_load_no_heavy_library(arguments: list[str]) -> None:
    """Help, versions and paths answer without arrays, networks, decoders or tables."""
    code = f"""
        import sys
        sys.argv = ["mattebox", *{arguments!r}]
        from mattebox.cli.main import main
        try:
            main()
        except SystemExit:
            pass
        print("loaded:", *[name for name in {HEAVY!r} if name in sys.modules])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1].strip() == "loaded:"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [(["cut", "--help"], 0, "Cut the subject out"), (["cut", "missing.jpg"], 1, "there is no such file")],
)
def test_a_process_that_ends_at_once_loses_no_word(arguments: list[str], status: int, message: str) -> None:
    """`mattebox cut` as a process of its own gives its status and all that it says, through pipes too."""
    command = [sys.executable, "-m", "mattebox.cli.main", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert message in done.stdout + done.stderr
