"""The speed bench computes what it says, and draws it as well-formed SVG."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def speed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The bench as a module, as if started from its folder."""
    monkeypatch.syspath_prepend(str(BENCH))
    import importlib

    return importlib.import_module("speed")


def test_ratio_is_paired_by_round(speed: Any) -> None:
    """Each round's peer seconds are divided by the same round's own, then the median is taken."""
    runs = speed.Runs
    results = {
        "1 MP": {
            "fast": runs([1.0, 2.0, 1.0], [100, 100, 100], [2.0] * 3),
            "fast, int8": runs([0.5, 0.5, 0.5], [50, 50, 50], [1.0] * 3),
            "peer": runs([3.0, 8.0, 4.0], [200, 200, 400], [6.0] * 3),
        }
    }
    found = speed.ratios(results)
    assert found["1 MP, fast"] == {"speed": 4.0, "cpu": 3.0, "memory": 0.5}
    assert found["1 MP, fast, int8"] == {"speed": 8.0, "cpu": 6.0, "memory": 0.25}
    assert speed.target("1 MP, fast") == 2.6
    assert speed.target("24 MP, fast, int8") == 8.0


def test_run_measures_the_child_and_refuses_failure(speed: Any) -> None:
    """Memory is the child's own, and a command that fails ends the bench with its words."""
    _, small, _, output = speed.run([sys.executable, "-c", "print('said')"], {})
    _, large, *_ = speed.run([sys.executable, "-c", "x = bytearray(200_000_000)"], {})
    assert output.strip() == "said"
    assert large - small > 150
    with pytest.raises(SystemExit, match="why"):
        speed.run([sys.executable, "-c", "raise SystemExit('why')"], {})


def test_steps_are_means_over_photos(speed: Any) -> None:
    """Where time goes is told a photo, from the command's JSON lines."""
    lines = [
        json.dumps({"seconds": {"read": 1.0, "cut": 3.0}}),
        "noise",
        json.dumps({"seconds": {"read": 2.0}}),
    ]
    assert speed.mean_steps("\n".join(lines)) == {"read": 1.5, "cut": 1.5}


def test_bars_are_svg(speed: Any) -> None:
    """The drawing parses, has a bar a row, and escapes what people write."""
    tree = ET.fromstring(speed.draw_bars("a < b", "note", [("one", 2.0, 3.0), ("two & more", 0.5, None)]))  # noqa: S314 - our own text
    bars = [item for item in tree.iter() if item.get("fill") == "#2f6f8f"]
    assert len(bars) == 2
    assert float(bars[0].get("width", 0)) == pytest.approx(4 * float(bars[1].get("width", 0)), rel=0.01)


def test_help_needs_no_weights(tmp_path: Path) -> None:
    """--help answers where there are no weights and no network."""
    done = subprocess.run(
        [sys.executable, str(BENCH / "speed.py"), "--help"], check=True, capture_output=True, text=True
    )
    assert "--peer" in done.stdout


@pytest.mark.network
@pytest.mark.slow
def test_batch_bench_runs_small(tmp_path: Path) -> None:
    """The batch bench does its whole work on a few photos and writes its three ratios."""
    out = tmp_path / "batch.json"
    command = [sys.executable, str(BENCH / "batch.py"), "--small", "3", "--large", "6"]
    command += ["--hot", "2", "--rounds", "1"]
    subprocess.run([*command, "--json", str(out)], check=True, capture_output=True)
    found = json.loads(out.read_text())
    assert found["hot_folder"] > 0
    assert found["growth"] > 0
    assert found["memory"] == pytest.approx(1, abs=0.3)
