"""Hot folders whose cutouts are real files, without a network: each photo's matte is drawn with it.

The journal, the daemon, the outputs and the page are the product's own; what a network would say is a disc.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw
from tests.daemon.hot_folders import CONFIG, HotFolders

from mattebox.core.job import run_job
from mattebox.core.job_report import JobReport
from mattebox.daemon.intake.inspection import inspect_file
from mattebox.daemon.journal.journal import Journal
from mattebox.daemon.journal.markers import in_progress
from mattebox.daemon.work.tasks import JobTask, do_job

if TYPE_CHECKING:
    from collections.abc import Iterator

REVIEW = CONFIG.replace("        deliver", "        review: {below: 0.9, to: ./review}\n        deliver")
SIZE = (480, 320)


def draw_photo(path: Path, number: int, size: tuple[int, int] = SIZE) -> None:
    """A JPEG whose corner says in one colour which photo it is, with a disc for a subject."""
    picture = Image.new("RGB", size, (90, 120, 150))
    draw = ImageDraw.Draw(picture)
    width, height = size
    draw.ellipse((width * 0.3, height * 0.2, width * 0.7, height * 0.8), fill=colour_of(number))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, "JPEG", quality=92)


def colour_of(number: int) -> tuple[int, int, int]:
    """The colour of a photo's disc: those of neighbours differ by far."""
    return (number * 67 % 200 + 40, number * 113 % 200 + 40, number * 29 % 200 + 40)


def draw_matte(path: Path, size: tuple[int, int] = SIZE) -> None:
    """The matte of that disc, with a soft edge."""
    path.write_bytes(_disc(size))


@functools.cache
def _disc(size: tuple[int, int]) -> bytes:
    width, height = size
    y, x = np.mgrid[:height, :width]
    distance = np.hypot((x - width / 2) / (width * 0.2), (y - height / 2) / (height * 0.3))
    level = np.clip((1.02 - distance) * 25, 0, 1) * 255
    with io.BytesIO() as file:
        Image.fromarray(level.astype(np.uint8)).save(file, "PNG")
        return file.getvalue()


def drawn_job(task: JobTask) -> JobReport:
    """The real job with the drawn matte in a network's place; its confidence stands in the name."""
    with in_progress(task.marker):
        job = task.job
        name = job.source.name
        given = job.matte is not None
        if not given:
            matte = job.source.with_name(f".{name}.matte.png")
            with Image.open(job.source) as photo:
                draw_matte(matte, photo.size)
            job = dataclasses.replace(job, matte=matte)
        report = run_job(job)
        if given:
            return report
        matte.unlink()
        number = int(re.findall(r"\d+", name)[-1])
        warnings = ("touches_frame",) if number % 3 == 0 else ("similar_colours",)
        return dataclasses.replace(
            report,
            confidence=0.95 if "sure" in name else number % 1000 / 1100,
            warnings=warnings,
            notes=(f"{name}: look at the edge.",),
            model=f"{task.job.cut.model} {task.job.cut.quality}",
        )


def hot_folders(root: Path, text: str = REVIEW) -> HotFolders:
    """Hot folders at work with drawn mattes."""
    return HotFolders(root, text, functions={do_job: drawn_job, inspect_file: inspect_file})


def put(folders: HotFolders, names: list[str]) -> None:
    """Draw photos into the watched folder; the last number in a name is the photo's."""
    for name in names:
        draw_photo(folders.root / "in" / name, int(re.findall(r"\d+", name)[-1]))


def jobs(folders: HotFolders) -> dict[str, Any]:
    """Each job's row by its photo's name."""
    journal = Journal(folders.root / "state", lock=False)
    try:
        return {seen.source: journal.job(seen.id) for seen in journal.overview()}
    finally:
        journal.close()


def decided(folders: HotFolders) -> dict[str, str]:
    """What the journal says was decided, by the photo's name."""
    journal = Journal(folders.root / "state", lock=False)
    try:
        return {seen.source: seen.verdict for seen in journal.overview() if seen.verdict}
    finally:
        journal.close()


class Server:
    """`mattebox table` in a process of its own."""

    def __init__(self, what: Path, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self._what, self._arguments = what, arguments
        self._environment = {**os.environ, **(environment or {})}
        self.start()

    def start(self) -> None:
        """Start it and wait for the address that it says."""
        command = [sys.executable, "-m", "mattebox.cli.main", "table", str(self._what), "--no-browser"]
        self.process = subprocess.Popen(
            [*command, *self._arguments], stdout=subprocess.PIPE, text=True, env=self._environment
        )
        assert self.process.stdout is not None
        self.address = ""
        while "http" not in self.address:
            self.address = self.process.stdout.readline()
            assert self.address, "it ended without an address"
        self.address = re.findall(r"https?://\S+", self.address)[0]

    def kill(self) -> None:
        """End it as the kernel would."""
        self.process.kill()
        self.process.wait()
        self._close()

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(20)
        self._close()
        return status

    def _close(self) -> None:
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def serving(what: Path, *arguments: str, environment: dict[str, str] | None = None) -> Iterator[Server]:
    """`mattebox table` while inside."""
    server = Server(what, *arguments, environment=environment)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


def shown(page: Any, condition: str, seconds: float = 20) -> None:
    """Wait until a JavaScript condition holds in the page, whose own policy forbids to wait in there."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, f"it did not happen: {condition}"
        page.wait_for_timeout(20)
