"""In place through a job: what is read, who is asked, what the report says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mattebox.core.engine import Engine
from mattebox.core.errors import SettingsError
from mattebox.core.job import Job, StagedOutput, read_source, run_job
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


def test_a_job_reads_the_layer_that_its_output_masks(
    source: Path, composition_of: Callable[..., Composition]
) -> None:
    """With an output in place the photo is that layer; all outputs of the job show the same picture."""
    made = composition_of(clean=True)
    output = PsdOutput(in_place=True, layer="Subject clean")
    photo = read_source(job_of(source, PngOutput(), output)).photo
    np.testing.assert_array_equal(photo.alpha, made.alpha)
    np.testing.assert_array_equal(photo.pixels[made.alpha > 0], made.colours[made.alpha > 0])


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
