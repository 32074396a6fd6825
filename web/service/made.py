"""What a worker of the service does: one request's photo, cut and written into the request's own folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.job_report import JobReport
    from mattebox.core.settings import CutSettings, FinishSettings, Output

MEDIA_TYPES: Final = {
    "png": "image/png",
    "mask": "image/png",
    "webp": "image/webp",
    "jxl": "image/jxl",
    "tiff": "image/tiff",
    "jpeg": "image/jpeg",
    "psd": "image/vnd.adobe.photoshop",
}
PHOTO: Final = "photo"


@dataclass(frozen=True, slots=True)
class Plan:
    """How one photo is cut, finished and written. zipped: two outputs as color.jpg and alpha.png."""

    cut: CutSettings
    finish: FinishSettings
    outputs: tuple[Output, ...]
    zipped: bool = False


class Wish(Protocol):
    """What a client wants of a photo whose size is not known yet."""

    def plan(self, photo: Path) -> Plan:
        """The settings for the photo; what they need beside it is written into its folder.

        Raises MatteboxError.
        """


@dataclass(frozen=True, slots=True)
class CutTask:
    """One request's photo and what is wanted of it; outputs go into the photo's own folder."""

    photo: Path
    wish: Wish


@dataclass(frozen=True, slots=True)
class Made:
    """One output: its file, its media type and its size in pixels."""

    path: Path
    format: str
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Result:
    """A request's outputs and its report, as JSON-ready data without a path of this machine."""

    outputs: tuple[Made, ...]
    report: dict[str, Any]


def do_cut(task: CutTask) -> Result:
    """Cut a request's photo in this process. Raises MatteboxError, OSError."""
    from mattebox.core.job import Job, StagedOutput, run_job  # noqa: PLC0415 - loads arrays
    from mattebox.core.settings import ENDINGS  # noqa: PLC0415

    # What a client names is fetched for nobody: the server's owner pulls networks.
    os.environ["MATTEBOX_OFFLINE"] = "1"
    folder = task.photo.parent
    plan = task.wish.plan(task.photo)
    staged = tuple(
        StagedOutput(output, folder / f"output-{number}.{ENDINGS[output.format]}")
        for number, output in enumerate(plan.outputs, start=1)
    )
    report = run_job(Job(task.photo, staged, plan.cut, plan.finish))
    made = tuple(
        Made(item.staged, item.output.format, MEDIA_TYPES[item.output.format], written.width, written.height)
        for item, written in zip(staged, report.outputs, strict=True)
    )
    if plan.zipped:
        made = (_zipped(made, folder), *made[2:])
    return Result(made, _told(report))


def _told(report: JobReport) -> dict[str, Any]:
    """The report with names that mean something to a client."""
    outputs = tuple(replace(item, path=os.path.basename(item.path)) for item in report.outputs)  # noqa: PTH119 - a text
    return replace(report, input=PHOTO, outputs=outputs).as_dict()


def _zipped(made: tuple[Made, ...], folder: Path) -> Made:
    """A PNG with all colours and a matte as a ZIP of color.jpg and alpha.png."""
    import zipfile  # noqa: PLC0415 - only where it is asked for

    from PIL import Image  # noqa: PLC0415

    colours, matte = made[0], made[1]
    jpeg = folder / "color.jpg"
    with Image.open(colours.path, formats=["PNG"]) as picture:
        profile = picture.info.get("icc_profile")
        picture.convert("RGB").save(jpeg, "JPEG", quality=95, subsampling=0, icc_profile=profile)
    target = folder / "output.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        archive.write(jpeg, "color.jpg")
        archive.write(matte.path, "alpha.png")
    return Made(target, "zip", "application/zip", colours.width, colours.height)
