"""In real GIMP 3.0 and 3.2: an engine or a network that cannot be had is a sentence, never a traceback."""

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
WORDS = {
    "gone": INCOMPLETE,
    "half": INCOMPLETE,
    "networks": INCOMPLETE,
    "bare": "ended before it was ready; it said: ",
    "licence": "Tick “Accept a licence without commercial use” in the dialog",
}
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
    elif trouble == "licence":
        values["catalogue"] = {"u2net": {"file": "a", "size": 1, "licence": "a licence", "commercial": False}}
    else:
        enter = [*values["command"][:3]] if values["command"][0] == "/usr/sbin/chroot" else []
        values |= {"command": [*enter, *BARE], "folder": elsewhere}
    return json.dumps(values)


@pytest.fixture(scope="module")
def troubles(gimps: Callable[[str], Rig]) -> Callable[[str], tuple[Rig, str]]:
    """All cases of a version, done in one GIMP that also meets the plug-in with a damaged record."""
    done: dict[str, tuple[Rig, str]] = {}

    def results(version: str) -> tuple[Rig, str]:
        if version not in done:
            rig = gimps(version)
            record = rig.plugin / "record.json"
            text = record.read_text(encoding="utf-8")
            new = {name: damaged(text, name, str(rig.scratch / "elsewhere")) for name in WORDS}
            # GIMP asks a plug-in for its procedures where it does not remember them.
            (rig.plugin.parents[1] / "pluginrc").unlink(missing_ok=True)
            record.write_text(text[: len(text) // 2], encoding="utf-8")
            try:
                printed = rig.run("trouble", record=str(record), troubles=new)
            finally:
                record.write_text(text, encoding="utf-8")
            done[version] = rig, printed
        return done[version]

    return results


@pytest.mark.parametrize("version", ["3.0", "3.2"])
@pytest.mark.parametrize("trouble", WORDS)
def test_what_cannot_be_had_is_a_sentence(
    troubles: Callable[[str], tuple[Rig, str]], version: str, trouble: str
) -> None:
    """A damaged record, a Python without mattebox, a licence that forbids; the image stays as it was."""
    rig, printed = troubles(version)
    found = rig.result(f"trouble-{trouble}")
    for status, error in found["said"]:
        assert status == "execution-error"
        assert WORDS[trouble] in error
        assert ("No module named" in error) == (trouble == "bare")
    assert found["same"]
    assert "Traceback" not in printed
