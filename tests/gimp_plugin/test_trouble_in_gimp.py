"""In real GIMP 3.0 and 3.2: an engine that cannot be had is a sentence, and never a traceback."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.gimp_plugin.rig import Rig

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(300)]

INCOMPLETE = "Mattebox's plug-in is not installed completely; run 'mattebox gimp install' again."
BARE = [sys.executable, "-I", "-S", "-m", "mattebox.cli.main", "engine"]


def damaged(text: str, trouble: str, elsewhere: str) -> str | None:
    """The record after each trouble; None where it is gone."""
    if trouble == "gone":
        return None
    if trouble == "half":
        return text[: len(text) // 2]
    values = json.loads(text)
    if trouble == "networks":
        values["networks"] = []
    else:
        enter = [*values["command"][:3]] if values["command"][0] == "/usr/sbin/chroot" else []
        values |= {"command": [*enter, *BARE], "folder": elsewhere}
    return json.dumps(values)


@pytest.mark.parametrize("version", ["3.0", "3.2"])
@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("gone", INCOMPLETE),
        ("half", INCOMPLETE),
        ("networks", INCOMPLETE),
        ("bare", "ended before it was ready; it said: "),
    ],
)
def test_an_engine_that_cannot_be_had_is_a_sentence(
    gimps: Callable[[str], Rig], version: str, trouble: str, words: str
) -> None:
    """A damaged record, and a Python without mattebox whose own words are told; the image stays as it was."""
    rig = gimps(version)
    record = rig.plugin / "record.json"
    text = record.read_text(encoding="utf-8")
    new = damaged(text, trouble, str(rig.scratch / "elsewhere"))
    record.unlink() if new is None else record.write_text(new, encoding="utf-8")
    try:
        printed = rig.run("trouble", trouble=f"trouble-{trouble}")
    finally:
        record.write_text(text, encoding="utf-8")
    found = rig.result(f"trouble-{trouble}")
    for status, error in found["said"]:
        assert status == "execution-error"
        assert words in error
        assert ("No module named" in error) == (trouble == "bare")
    assert found["same"]
    assert "Traceback" not in printed
