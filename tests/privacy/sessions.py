"""Sessions of a minute as a user has them; run by the guard as a script, which traces all its processes.

Nothing of Mattebox is imported here: what a process inherits must come from its own commands alone.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

MATTEBOX = (sys.executable, "-m", "mattebox.cli.main")
PLUGIN = Path(__file__).resolve().parents[2] / "gimp_plugin" / "mattebox"
FAST = ("-m", "u2netp", "-s", "cut.quality=fast")
CONFIGURATION = """version: 1
state: ./state
engine: {{model: u2netp, device: {device}, workers: {workers}}}
{more}
folders:
  - name: studio
    watch: ./in
    settle: 0s
    done: ./done
    failed: ./failed
    rules:
      - name: all
        deliver:
          - {{format: psd, to: "./out/{{stem}}.psd"}}
          - {{format: png, to: "./out/{{stem}}.png"}}
"""
API = """
import sys, time
from pathlib import Path
from mattebox.core.engine import Engine
from mattebox.core.photo import read_photo
from mattebox.core.settings import CutSettings
photo = read_photo(Path(sys.argv[1]))
Engine(device="openvino").cut(photo, CutSettings(model="u2netp"))
time.sleep(float(sys.argv[2]))
"""


def cut(photo: Path, seconds: float) -> None:
    """A command with more photos than it can cut in the time, stopped as by Ctrl+C; then whole ones."""
    many = Path("many")
    many.mkdir()
    photo = Path(shutil.copy(photo, "."))
    for number in range(int(100 * seconds)):
        os.link(photo, many / f"{number}{photo.suffix}")
    with subprocess.Popen(
        # Not at the cost of the sessions beside it, which wait for their photos.
        ["nice", "-n", "19", *MATTEBOX, "cut", many, "-o", "cutouts", *FAST],
        stdout=subprocess.DEVNULL,
    ) as command:
        time.sleep(seconds)
        # Where other work keeps it from the processor it has cut none by then.
        while command.poll() is None and not any(Path("cutouts").glob("[!.]*")):
            time.sleep(0.1)
        assert command.poll() is None, "it ended by itself"
        command.send_signal(signal.SIGINT)
    assert any(Path("cutouts").iterdir())
    for arguments in (["cut", photo, "-o", "one.png", "--report", *FAST], ["doctor"], ["models", "list"]):
        subprocess.run([*MATTEBOX, *arguments], check=True)
    assert Path("one.png").exists()


def watch(photo: Path, seconds: float) -> None:
    """Hot folders whose two workers run onnxruntime on the CPU, with the metrics that a monitor reads."""
    _watch(photo, seconds, "cpu", "metrics: {port: 9318}")


def watch_openvino(photo: Path, seconds: float) -> None:
    """Hot folders whose two workers run OpenVINO."""
    _watch(photo, seconds, "openvino", "")


def watch_cluster(photo: Path, seconds: float) -> None:
    """Hot folders whose work goes to a cluster's scheduler and worker on this machine."""
    up = [*MATTEBOX, "cluster", "up", "--port", "8786", "--workers", "1"]
    with subprocess.Popen(up, stdout=subprocess.DEVNULL) as cluster:
        _watch(photo, seconds, "cpu", "", "dask, scheduler: 'tcp://127.0.0.1:8786'")
        cluster.send_signal(signal.SIGTERM)


def _watch(photo: Path, seconds: float, device: str, more: str, workers: str = "2") -> None:
    end = time.monotonic() + seconds
    text = CONFIGURATION.format(device=device, more=more, workers=workers)
    Path("c.yaml").write_text(text, encoding="utf-8")
    Path("in").mkdir()
    with subprocess.Popen([*MATTEBOX, "watch", "c.yaml"]) as daemon:
        _drop(photo, "first")
        _until(lambda: Path("done", f"first{photo.suffix}").exists())
        _drop(photo, "second")
        _until(lambda: Path("done", f"second{photo.suffix}").exists())
        if more:
            _hear("http://127.0.0.1:9318/metrics")
        time.sleep(max(0.0, end - time.monotonic()))
        daemon.send_signal(signal.SIGTERM)
    assert sorted(path.name for path in Path("out").iterdir()) == [
        f"{name}.{ending}" for name in ("first", "second") for ending in ("png", "psd")
    ]


def engine(photo: Path, seconds: float) -> None:
    """The plug-in's own files, as GIMP runs them, start the engine host and have a layer cut twice."""
    sys.path.insert(0, str(PLUGIN))
    import client
    import protocol

    end = time.monotonic() + seconds
    folder = Path.home() / ".cache" / "mattebox" / "engine"
    record = client.Record([*MATTEBOX, "engine"], folder, "guard", {}, [["u2netp", "u2netp"]])
    request = protocol.CutRequest(64, 48, 3, 8, {"model": "u2netp"})
    talk = client.Engine(record, print)
    for _ in range(2):
        assert len(talk.cut(request, [bytes(range(256)) * 36]).mask) == 64 * 48
    talk.close()
    time.sleep(max(0.0, end - time.monotonic()))
    subprocess.run([*MATTEBOX, "engine", "--stop"], check=True)


def api(photo: Path, seconds: float) -> None:
    """A program of somebody's that imports the core, cuts with OpenVINO and ends as programs end."""
    subprocess.run([sys.executable, "-c", API, str(photo), str(seconds)], check=True)


def _drop(photo: Path, name: str) -> None:
    shutil.copy(photo, Path("in", f".{name}.part"))
    Path("in", f".{name}.part").rename(Path("in", f"{name}{photo.suffix}"))


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 100
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def _hear(url: str) -> None:
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - http, and this machine
        assert b"mattebox_photos" in answer.read()


SESSIONS = MappingProxyType(
    {
        "cut": cut,
        "watch": watch,
        "watch-openvino": watch_openvino,
        "watch-cluster": watch_cluster,
        "engine": engine,
        "api": api,
    }
)

if __name__ == "__main__":
    SESSIONS[sys.argv[1]](Path(sys.argv[2]), float(sys.argv[3]))
    sys.stdout.write("the session's work is done\n")
