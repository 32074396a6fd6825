"""Photos a second through `mattebox serve` beside `mattebox cut` of a folder, and many clients at once.

python -m bench.serve rate FOLDER [--clients 4] [--quality fast]   both in turn, outputs compared byte by byte
python -m bench.serve crowd PHOTO [--clients 200] [--model u2netp]   memory before, most, after
python -m bench.serve rembg FOLDER --url URL        the same folder through a `rembg s` that runs already
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOUNDARY: Final = "bench-serve"
_MATTEBOX: Final = (sys.executable, "-m", "mattebox.cli.main")
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


def rate(folder: Path, clients: int, quality: str) -> dict[str, Any]:
    """Photos a second of both, and whether all outputs are byte-equal.

    ratio: beside the whole command, which loads networks first. steady_ratio: beside what the command does
    once its first photos are there, as the service's workers are warm.
    """
    photos = sorted(path for path in folder.iterdir() if path.suffix.lower() in _PHOTOS)
    with tempfile.TemporaryDirectory() as text:
        out = Path(text)
        start = time.perf_counter()
        command = [*_MATTEBOX, "cut", str(folder), "-o", f"{out}/", "--quality", quality]
        subprocess.run(command, check=True, capture_output=True)
        cut = time.perf_counter() - start
        ended = sorted(path.stat().st_mtime for path in out.glob("*.png"))
        steady = (len(ended) - _FIRST) / (ended[-1] - ended[_FIRST - 1])
        fields = {"settings": json.dumps({"cut": {"quality": quality}})}
        with served() as (url, _):
            # The workers load what they need with their first photos.
            _all(url, photos[:4], 4, fields)
            start = time.perf_counter()
            answers = _all(url, photos, clients, fields)
            serve = time.perf_counter() - start
        equal = sum((out / f"{path.stem}.png").read_bytes() == answers[path] for path in photos)
    return {
        "photos": len(photos),
        "quality": quality,
        "cut_a_second": round(len(photos) / cut, 3),
        "serve_a_second": round(len(photos) / serve, 3),
        "ratio": round(cut / serve, 3),
        "cut_steady_a_second": round(steady, 3),
        "steady_ratio": round(len(photos) / serve / steady, 3),
        "byte_equal": equal,
    }


def _all(url: str, photos: list[Path], clients: int, fields: dict[str, str]) -> dict[Path, bytes]:
    def one(path: Path) -> bytes:
        status, body, _ = post(url, "/v1/cut", path.read_bytes(), "photo", fields)
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
    tree, found = [pid], []
    while tree:
        each = tree.pop()
        found.append(_pss(each))
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            tree += [int(child) for child in task.read_text().split()]
    return round(found[0], 1), round(sum(found), 1)


def _pss(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def rembg(folder: Path, url: str, clients: int) -> dict[str, Any]:
    """Photos a second through rembg's own service."""
    photos = sorted(path for path in folder.iterdir() if path.suffix.lower() in _PHOTOS)

    def one(path: Path) -> None:
        status, body, _ = post(url, "/api/remove", path.read_bytes(), "file", {})
        _good(status, body)

    one(photos[0])
    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(one, photos))
    return {"photos": len(photos), "rembg_a_second": round(len(photos) / (time.perf_counter() - start), 3)}


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["rate", "crowd", "rembg"])
    parser.add_argument("path", type=Path)
    parser.add_argument("--clients", type=int)
    parser.add_argument("--model", default="u2net")
    parser.add_argument("--quality", default="balanced", choices=["fast", "balanced", "best"])
    parser.add_argument("--url", default="http://127.0.0.1:7000")
    options = parser.parse_args()
    if options.what == "rate":
        found = rate(options.path, options.clients or 4, options.quality)
    elif options.what == "crowd":
        found = crowd(options.path, options.clients or 200, options.model)
    else:
        found = rembg(options.path, options.url, options.clients or 4)
    print(json.dumps({**found, "cores": len(os.sched_getaffinity(0))}))


if __name__ == "__main__":
    main()
