"""What is to be known about a photo stands below its line; pictures that are not read are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import tifffile
from PIL import Image
from tests.daemon.hot_folders import CONFIG

from mattebox.cli.hot_folders import FolderScreen
from mattebox.cli.passed_over import passed_over
from mattebox.core.job import Job, StagedOutput, run_job
from mattebox.core.settings import CutSettings, FinishSettings, parse_output
from mattebox.daemon.config.load import load_config
from mattebox.daemon.events import Event
from mattebox.daemon.run import Summary


def test_a_walk_names_the_pictures_that_it_does_not_read(tmp_path: Path) -> None:
    """Pictures of other formats and photos without an ending are found; texts and hidden files are not."""
    (tmp_path / "in" / "deeper").mkdir(parents=True)
    for name in ("a.jpg", "b.exr", "deeper/c.JXR", "d.txt", ".e.exr", "notes"):
        (tmp_path / "in" / name).write_bytes(b"some text")
    Image.new("RGB", (8, 8)).save(tmp_path / "in" / "scan", "PNG")
    found = passed_over([tmp_path / "in", tmp_path / "b.exr"])
    assert [path.name for path in found] == ["b.exr", "scan", "c.JXR"]


def test_a_job_tells_what_became_of_its_photo(tmp_path: Path) -> None:
    """The report's photo notes hold what the photo lost and what the output rounded, and no advice."""
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        for _ in range(3):
            writer.write(np.full((16, 16, 3), 40_000, np.uint16), photometric="rgb")
    Image.new("L", (16, 16), 255).save(tmp_path / "matte.png")
    webp = StagedOutput(parse_output({"format": "webp"}), tmp_path / "a.webp")
    job = Job(path, (webp,), CutSettings(refine="none"), FinishSettings(), tmp_path / "matte.png")
    report = run_job(job)
    pages, rounded = report.photo_notes
    assert "first of 3 pages" in pages
    assert "rounded" in rounded
    assert set(report.photo_notes) <= set(report.notes)


@pytest.mark.parametrize("as_log", [False, True])
def test_a_hot_folder_shows_the_notes(capsys: pytest.CaptureFixture[str], as_log: bool) -> None:
    """A delivered photo's notes stand below its line, and in the log's line."""
    values: dict[str, Any] = {
        "input": "in/a.tif",
        "outputs": ["out/a.png"],
        "confidence": 0.9,
        "warnings": [],
        "notes": ["Only the first of 3 pages or frames was used."],
    }
    context = click.Context(click.Command("watch"), obj={})
    FolderScreen(context, as_log=as_log)(Event("delivered", "studio", "1", values))
    shown = capsys.readouterr().out
    assert "Only the first of 3 pages or frames was used." in shown
    assert shown.count("\n") == (1 if as_log else 2)


def test_what_went_to_review_is_in_the_summary(tmp_path: Path) -> None:
    """A run that sent its only photo to a person says so, and not that nothing waits."""
    (tmp_path / "c.yaml").write_text(CONFIG, encoding="utf-8")
    screen = FolderScreen(click.Context(click.Command("once"), obj={}), as_log=False)
    screen(Event("review", "studio", "1", {"input": "a.jpg", "why": "it is doubtful", "files": ["a.psd"]}))
    summary = screen.summary(Summary(0, 0, 0, "idle"), load_config(tmp_path / "c.yaml"))
    assert summary == "0 done, 0 failed, 1 sent to review."
