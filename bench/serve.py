"""Photos a second through `mattebox serve` beside `mattebox cut` of a folder, and many clients at once.

python -m bench.serve rate FOLDER [--clients 4] [--quality fast] [--rounds 3] [--peer rembg]
python -m bench.serve crowd PHOTO [--clients 200] [--model u2netp]   memory before, most, after
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from bench.peers import rembg

from mattebox.models.catalogue import find_network
from mattebox.models.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOUNDARY: Final = "bench-serve"
_MATTEBOX: Final = (sys.executable, "-m", "mattebox.cli.main")
# A path, the field of the photo, and the other fields.
_Asked = tuple[str, str, dict[str, str]]
# Photos until all of the command's lanes are at work.
_FIRST: Final = 2
_PHOTOS: Final = (".jpg", ".jpeg", ".png", ".tif", ".webp")


@contextmanager
def served(*options: str) -> Iterator[tuple[str, int]]:
    """A service of its own: its address, and its process id; it answers and its workers are warm."""
    with subprocess.Popen(
        [*_MATTEBOX, "serve", "--port", "0", "--timeout", "10m", *options], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            yield line.split()[1], process.pid
        finally:
            process.terminate()


def post(url: str, path: str, photo: bytes, name: str, fields: dict[str, str]) -> tuple[int, bytes, float]:
    """Post a photo; status, body and the Retry-After in seconds."""
    head = "".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    )
    head += f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="p"\r\n'
    body = (
        head.encode()
        + b"Content-Type: application/octet-stream\r\n\r\n"
        + photo
        + f"\r\n--{_BOUNDARY}--\r\n".encode()
    )
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=600)) as connection:
        kind = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        connection.request("POST", path, body, kind)
        answer = connection.getresponse()
        return answer.status, answer.read(), float(answer.getheader("Retry-After") or 0)


def _good(status: int, body: bytes) -> bytes:
    if status != http.client.OK:
        raise SystemExit(f"the service answered {status}: {body[:300]!r}")
    return body


def rate(folder: Path, clients: int, quality: str, rounds: int, *, peer: bool) -> dict[str, Any]:
    """Photos a second of each in turn, and whether all of ours are byte-equal.

    ratio: the service beside the whole command, which loads networks first. steady: beside what the command
    does once its first photos are there, as the service's workers are warm. peer: beside `rembg s`, which
    never refines, so that quality fast is its like. processor_s: seconds of processor time a photo.
    """
    photos = sorted(path for path in folder.iterdir() if path.suffix.lower() in _PHOTOS)
    fields = {"settings": json.dumps({"cut": {"quality": quality}})}
    paths: dict[str, _Asked] = {
        "serve": ("/v1/cut", "photo", fields),
        "rembg": ("/api/remove", "file", {"model": "u2net"}),
    }
    spans: dict[str, list[float]] = {"cut": [], "steady": [], "serve": [], "rembg": []}
    cost: dict[str, list[float]] = {"cut": [], "serve": [], "rembg": []}
    equal = 0
    with served() as ours, rembg_served() if peer else nullcontext() as theirs:
        servers = {"serve": ours, **({"rembg": theirs} if theirs else {})}
        for name, (url, _) in servers.items():
            # The workers load what they need with their first photos.
            _all(url, photos[:4], 4, paths[name])
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as text:
                out = Path(text)
                command = [*_MATTEBOX, "cut", str(folder), "-o", f"{out}/", "--quality", quality]
                before = _of_children()
                start = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                spans["cut"].append(time.perf_counter() - start)
                cost["cut"].append(_of_children() - before)
                ended = sorted(path.stat().st_mtime for path in out.glob("*.png"))
                each = (ended[-1] - ended[_FIRST - 1]) / (len(ended) - _FIRST)
                spans["steady"].append(each * len(photos))
                for name, (url, pid) in servers.items():
                    used, start = processor_seconds(pid), time.perf_counter()
                    answers = _all(url, photos, clients, paths[name])
                    spans[name].append(time.perf_counter() - start)
                    cost[name].append(processor_seconds(pid) - used)
                    if name == "serve":
                        equal = sum(
                            (out / f"{path.stem}.png").read_bytes() == answers[path] for path in photos
                        )
    ratios = {
        name: [one / two for one, two in zip(found, spans["serve"], strict=True)]
        for name, found in spans.items()
        if found
    }
    return {
        "photos": len(photos),
        "quality": quality,
        "rounds": rounds,
        "a_second": {name: round(len(photos) / median(found), 3) for name, found in spans.items() if found},
        "ratio": {name: round(median(found), 3) for name, found in ratios.items() if name != "serve"},
        "processor_s": {name: round(median(found) / len(photos), 2) for name, found in cost.items() if found},
        "byte_equal": equal,
    }


@contextmanager
def rembg_served() -> Iterator[tuple[str, int]]:
    """`rembg s` from an environment of its own, with our weights, once it answers."""
    peer = rembg(Store().ensure(find_network("u2net")))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [peer.python.with_name("rembg"), "s", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    with subprocess.Popen(
        command, env=peer.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            for _ in range(600):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()


def _of_children() -> float:
    """Seconds of processor time of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def processor_seconds(pid: int) -> float:
    """Seconds of processor time of a process and of all that it started."""
    ticks = 0
    for each in _tree(pid):
        with suppress(OSError):
            values = Path(f"/proc/{each}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            ticks += int(values[11]) + int(values[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _all(url: str, photos: list[Path], clients: int, asked: _Asked) -> dict[Path, bytes]:
    path, name, fields = asked

    def one(photo: Path) -> bytes:
        status, body, _ = post(url, path, photo.read_bytes(), name, fields)
        return _good(status, body)

    with ThreadPoolExecutor(clients) as pool:
        return dict(zip(photos, pool.map(one, photos), strict=True))


def crowd(photo: Path, clients: int, model: str) -> dict[str, Any]:
    """Many clients at once, each until it has its answer: seconds, refusals, memory of the server in MB."""
    data = photo.read_bytes()
    refused = 0
    lock = threading.Lock()

    def one(url: str) -> None:
        nonlocal refused
        while True:
            status, body, wait = post(url, "/v1.0/removebg", data, "image_file", {"size": "preview"})
            if status == http.client.OK:
                return
            if status != http.client.TOO_MANY_REQUESTS:
                _good(status, body)
            with lock:
                refused += 1
            time.sleep(wait)

    with served("--quality", "fast", "--model", model) as (url, pid):
        for _ in range(4):
            one(url)
        before, most, over = memory(pid), [0.0, 0.0], threading.Event()

        def watch() -> None:
            while not over.wait(0.5):
                now = memory(pid)
                most[0], most[1] = max(most[0], now[0]), max(most[1], now[1])

        watcher = threading.Thread(target=watch)
        watcher.start()
        start = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(lambda _: one(url), range(clients)))
        seconds = time.perf_counter() - start
        over.set()
        watcher.join()
        after = memory(pid)
    return {
        "clients": clients,
        "model": model,
        "seconds": round(seconds, 1),
        "a_second": round(clients / seconds, 2),
        "refused_and_came_again": refused,
        "server_mb": {"before": before[0], "most": most[0], "after": after[0]},
        "all_processes_mb": {"before": before[1], "most": most[1], "after": after[1]},
    }


def memory(pid: int) -> tuple[float, float]:
    """Proportional set size in MB, of a process and of it with all that it started."""
    found = [_pss(each) for each in _tree(pid)]
    return round(found[0], 1), round(sum(found), 1)


def _tree(pid: int) -> Iterator[int]:
    """A process and all that it started."""
    left = [pid]
    while left:
        each = left.pop()
        yield each
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            with suppress(OSError):
                left += [int(child) for child in task.read_text().split()]


def _pss(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["rate", "crowd"])
    parser.add_argument("path", type=Path)
    parser.add_argument("--clients", type=int)
    parser.add_argument("--model", default="u2net")
    parser.add_argument("--quality", default="balanced", choices=["fast", "balanced", "best"])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--peer", choices=["rembg"])
    options = parser.parse_args()
    if options.what == "rate":
        peer = options.peer is not None
        found = rate(options.path, options.clients or 4, options.quality, options.rounds, peer=peer)
    else:
        found = crowd(options.path, options.clients or 200, options.model)
    print(json.dumps({**found, "cores": len(os.sched_getaffinity(0))}))


if __name__ == "__main__":
    main()
