"""A disk that is really full where plug-in and engine meet: a sentence, or success; never a hang."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

# A tmpfs of its own, in a namespace that ends with the process.
FULL = """
mount -t tmpfs -o size=64k,mode=700 none "$1"
exec "$2" -c "$3" "$1" "$4"
"""
PLUG_IN = """
import json, os, sys
from pathlib import Path
from mattebox.gimp_plugin.mattebox.client import Engine, EngineError, Record
from mattebox.gimp_plugin.mattebox import protocol
meeting, when = Path(sys.argv[1]), sys.argv[2]
command = [sys.executable, "-m", "mattebox.cli.main", "engine"]
record = Record(command, meeting, "test", {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}, [])
request = protocol.CutRequest(30, 20, 3, 8, {}, rough=True, has_mask=True)
blobs = [[bytes(1800)], [bytes([255]) * 600]]

def fill():
    with (meeting / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(512)):
                pass
        except OSError:
            pass
    try:
        for number in range(10_000):
            (meeting / f"filler-{number}").touch()
    except OSError:
        pass

said = []
if when == "before":
    fill()
try:
    engine = Engine(record, lambda _: None)
    if when == "after":
        fill()
    said.append(engine.cut(request, engine.pack(request, blobs)).mask == blobs[1][0])
    engine.close()
    engine = Engine(record, lambda _: None)
    said.append(engine.cut(request, engine.pack(request, blobs)).mask == blobs[1][0])
    protocol.send(engine._wire, "stop")
    engine._next()
except EngineError as error:
    said.append(str(error))
print(json.dumps(said))
"""


def cut_on_a_full_disk(rendezvous: Path, when: str) -> list[object]:
    """What a plug-in got that cut after the disk was filled, before or after the engine's start."""
    if os.getuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a file system of one's own needs root and unshare")
    words = ["bash", "-euc", FULL, "full", str(rendezvous), sys.executable, PLUG_IN, when]
    line = ["unshare", "--mount", "--propagation", "private", *words]
    done = subprocess.run(line, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_an_engine_that_cannot_start_says_so(rendezvous: Path) -> None:
    """Where not even the key can be written, the sentence names the place and the reason."""
    (sentence,) = cut_on_a_full_disk(rendezvous, "before")
    assert isinstance(sentence, str)
    assert str(rendezvous) in sentence
    assert "No space left" in sentence


def test_a_disk_that_fills_up_later_does_not_matter(rendezvous: Path) -> None:
    """A running engine needs no room for pixels or masks: both cuts succeed."""
    assert cut_on_a_full_disk(rendezvous, "after") == [True, True]
