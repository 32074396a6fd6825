"""In place through a job: what is read, who is asked, what the report says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from psd_tools import PSDImage

from mattebox.core.engine import Engine
from mattebox.core.errors import SettingsError
from mattebox.core.job import Job, StagedOutput, read_source, run_job
from mattebox.core.photo import read_photo
from mattebox.core.settings import CutSettings, PngOutput, PsdOutput
from mattebox.core.write.psd import write
from mattebox.core.write.psd.anatomy import anatomy_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mattebox.core.composition import Composition


def job_of(source: Path, *outputs: PsdOutput | PngOutput) -> Job:
    """A job with staged names beside its source."""
    staged = [StagedOutput(output, source.parent / f"{number}.part") for number, output in enumerate(outputs)]
    return Job(source, tuple(staged), CutSettings(model="u2netp"))


@pytest.fixture
def source(composition_of: Callable[..., Composition], tmp_path: Path) -> Path:
    """A PSD whose photo layer carries no mask."""
    write(composition_of(clean=True), PsdOutput(mask="alpha-channel", original=True), tmp_path / "in.psd")
    return tmp_path / "in.psd"


def test_each_output_gets_the_picture_that_it_says(
    source: Path, composition_of: Callable[..., Composition]
) -> None:
    """In place reads the layer that it masks; a PNG beside it is of the picture, with its own matte."""
    made = composition_of(clean=True)
    output = PsdOutput(in_place=True, layer="Subject clean")
    both = read_source(job_of(source, PngOutput(), output))
    alone = read_source(job_of(source, output))
    assert both.layer is not None
    assert alone.layer is None
    for photo in (both.layer, alone.photo):
        np.testing.assert_array_equal(photo.alpha, made.alpha)
        np.testing.assert_array_equal(photo.pixels[made.alpha > 0], made.colours[made.alpha > 0])
    picture = read_photo(source)
    np.testing.assert_array_equal(both.photo.pixels, picture.pixels)
    assert picture.alpha is None
    assert both.photo.alpha is None


def test_a_layer_that_is_the_whole_picture_is_looked_at_once(tmp_path: Path) -> None:
    """A flat file and a background alone show what they hold: one matte serves every output."""
    psd = PSDImage.new("RGB", (40, 30))
    psd.save(tmp_path / "flat.psd")
    assert read_source(job_of(tmp_path / "flat.psd", PngOutput(), PsdOutput(in_place=True))).layer is None


@pytest.mark.network
def test_outputs_together_are_those_of_rules_of_their_own(
    tmp_path: Path, shipped_photos: dict[str, Path]
) -> None:
    """A retouched photo to a PNG and in place: each file equals, byte for byte, the one that it is alone."""
    photo = np.asarray(Image.open(shipped_photos["astronaut.png"]).resize((256, 256)).convert("RGBA"))
    psd = PSDImage.new("RGB", (256, 256))
    psd.create_pixel_layer_from_array(photo / 255, name="Photo")
    psd.create_pixel_layer_from_array(photo[:40, :60, ::-1] / 255, name="Healing", left=190, top=10)
    psd.save(tmp_path / "heal.psd")
    engine = Engine()
    outputs = [PngOutput(), PsdOutput(in_place=True)]
    together = run_job(job_of(tmp_path / "heal.psd", *outputs), engine)
    alone = [run_job(job_of(tmp_path / "heal.psd", output), engine) for output in outputs]
    assert [item.format for item in together.outputs] == ["png", "psd"]
    assert [item.sha256 for item in together.outputs] == [report.outputs[0].sha256 for report in alone]
    assert together.confidence == min(report.confidence for report in alone)
    assert together.subject_box == alone[0].subject_box
    assert together.subject_box is not None
    left, top, right, bottom = together.subject_box
    assert (right - left) * (bottom - top) > 256 * 256 / 4, "the astronaut and not the stroke"


def test_one_job_masks_one_layer(source: Path) -> None:
    """Two layers in one job would need two cuts; the sentence says what to do."""
    outputs = [PsdOutput(in_place=True, layer=name) for name in ("Subject", "Original")]
    with pytest.raises(SettingsError, match="a rule of its own for each layer") as caught:
        read_source(job_of(source, *outputs))
    assert caught.value.step == "read"


@pytest.mark.network
def test_a_real_cut_puts_its_matte_onto_the_layer(source: Path) -> None:
    """From file to file with a real network: the layer is masked, its record says so, the source stays."""
    before = source.read_bytes()
    job = job_of(source, PsdOutput(in_place=True))
    report = run_job(job, Engine())
    assert source.read_bytes() == before
    assert any("stored preview" in note for note in report.notes)
    with job.outputs[0].staged.open("rb") as file:
        [layer] = [layer for layer in anatomy_of(file, source).layers if layer.name == "Subject"]
    assert -2 in layer.channels
