"""Killed at any step boundary, with real files and the real journal: nothing lost, nothing done twice."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from tests.daemon.yard import CONFIG, Yard

GOOD = {"a.jpg": b"one", "sub/a.jpg": b"two"}
BAD = {"b.jpg": b"bad", "sub/c.jpg": b"poison"}
KEEP = CONFIG.replace("    settle", "    originals: keep\n    settle")


def expect_good(yard: Yard) -> None:
    """Every good input has exactly one PSD, one PNG and its original in done/; nothing else is there."""
    expected = {}
    for name, data in GOOD.items():
        stem = name.removesuffix(".jpg")
        expected |= {
            f"done/{name}": data,
            f"out/{stem}.psd": b"psd:" + data,
            f"out/{stem}.png": b"png:" + data,
        }
    assert yard.files() == expected


def expect_bad(yard: Yard) -> None:
    """Every bad input is in failed/ with its reason; nothing else is there."""
    found = yard.files()
    assert {name: found[name] for name in found if not name.endswith(".json")} == {
        f"failed/{name}": data for name, data in BAD.items()
    }
    assert {name for name in found if name.endswith(".json")} == {
        f"failed/{name}.reason.json" for name in BAD
    }
    assert all(
        data.startswith(b"{") and data.endswith(b"}\n") for name, data in found.items() if ".json" in name
    )


def expect_kept(yard: Yard) -> None:
    """Every good input lies where it was, with exactly one PSD and one PNG."""
    expected = {}
    for name, data in GOOD.items():
        stem = name.removesuffix(".jpg")
        expected |= {f"in/{name}": data, f"out/{stem}.psd": b"psd:" + data, f"out/{stem}.png": b"png:" + data}
    assert yard.files() == expected


CASES = {
    "done": (CONFIG, GOOD, expect_good),
    "failed": (CONFIG, BAD, expect_bad),
    "keep": (KEEP, GOOD, expect_kept),
}


def everything(case: str, root: Path) -> tuple[Yard, list[str]]:
    """A fresh yard of a case, and the boundaries that one undisturbed run in it passes."""
    text, tree, expect = CASES[case]
    trial = Yard(root / "trial", text)
    trial.drop(tree)
    names = trial.boundaries()
    expect(trial)
    yard = Yard(root / "yard", text)
    yard.drop(tree)
    return yard, names


@pytest.mark.parametrize("case", CASES)
def test_a_kill_at_any_boundary_changes_nothing(case: str, quick_disk: Path) -> None:
    """After a kill at each boundary of the loop the next run ends as if nothing had happened."""
    _, tree, expect = CASES[case]
    _, names = everything(case, quick_disk)
    for number in range(len(names)):
        yard = Yard(quick_disk / f"kill-{number}", CASES[case][0])
        yard.drop(tree)
        assert yard.once_until(number), f"boundary {number} ({names[number]}) was not reached"
        yard.once()
        expect(yard)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_two_kills_at_any_boundaries_change_nothing(case: str, quick_disk: Path) -> None:
    """After a kill and another one during recovery the third run ends as if nothing had happened."""
    _, tree, expect = CASES[case]
    _, names = everything(case, quick_disk)
    pairs = 0
    for first in range(0, len(names), 2):
        for second in range(first % 3, 200, 3):
            yard = Yard(quick_disk / f"kill-{first}-{second}", CASES[case][0])
            yard.drop(tree)
            assert yard.once_until(first)
            killed = yard.once_until(second)
            if killed:
                pairs += 1
                yard.once()
            expect(yard)
            if not killed:
                break
    assert pairs > len(names)


def test_every_boundary_in_the_code_is_crossed(quick_disk: Path) -> None:
    """The boundaries that the code names are those that these cases kill at, but for the ones listed."""
    import mattebox.daemon.steps as steps_module

    room = Path(steps_module.__file__).parent
    named = set()
    for path in room.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "step":
                named.add(ast.literal_eval(node.args[0]))
    crossed: set[str] = set()
    for case in CASES:
        crossed |= set(everything(case, quick_disk / case)[1])
    # Other tests cross these: another device, a file system without links, retry, review, a vanished file.
    elsewhere = {
        "claim dropped",
        "back to waiting",
        "copy planned",
        "original copied",
        "reservation recorded",
        "name reserved",
        "duplicate found",
        "return noted",
        "review wanted",
        "review approved",
    }
    assert named - crossed <= elsewhere
    assert crossed <= named
