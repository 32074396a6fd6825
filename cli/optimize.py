"""`mattebox models optimize`: a quicker form of a network, made and checked on this computer."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mattebox.cli.echo import echo
from mattebox.core.errors import OptimizeError
from mattebox.models.catalogue import find_network
from mattebox.models.optimised import remove_optimised
from mattebox.models.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@click.command()
@click.argument("name")
@click.option(
    "--photos",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Calibrate and check on photos of yours; default: drawn scenes.",
)
@click.option("--remove", is_flag=True, help="Go back to the original.")
def optimize(*, name: str, photos: Path | None, remove: bool) -> None:
    """Make the network NAME quicker on this computer's CPU, in 8-bit integers.

    The result is checked against the original on pictures that it was not calibrated on, and refused
    when it differs too much. From then on it is used wherever a rule says precision: auto, which is the
    default; --remove undoes that.
    """
    network = find_network(name)
    store = Store()
    if remove:
        removed = remove_optimised(store, network)
        echo(f"{name}: the original is used again." if removed else f"{name}: nothing was optimised.")
        return
    if network.kind == "promptable":
        raise OptimizeError(
            f"The network {name} is used as it is: in 8-bit integers its masks share .7 with the original's, "
            "and it is no quicker; 'mattebox models optimize u2net' makes the default network quicker."
        )
    store.verify(network)
    from mattebox.core.network.optimize import optimize as make  # noqa: PLC0415
    from mattebox.core.network.pictures import synthetic_pictures  # noqa: PLC0415 - loads arrays
    from mattebox.core.segment.own_pictures import own_pictures  # noqa: PLC0415

    pictures = synthetic_pictures() if photos is None else own_pictures(_files(photos))
    with _bar(f"Optimising {name}", len(pictures)) as tick:
        made = make(network, store, pictures, tick)
    agreement = made.agreement
    echo(
        f"{name}: {made.speedup:.1f} times quicker; on {pictures.about} IoU {agreement.iou:.4f} with the "
        f"original, mean difference {agreement.difference:.4f}, worst {agreement.worst:.4f}. It is used from "
        f"now on; 'mattebox models optimize {name} --remove' goes back."
    )
    if photos is None:
        click.echo("Give --photos FOLDER to calibrate and check it on photos like those you cut.")


def _files(folder: Path) -> list[Path]:
    return sorted(item for item in folder.rglob("*") if item.is_file() and not item.name.startswith("."))


@contextmanager
def _bar(label: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar over `total` pictures on a terminal; yields the function that advances it."""
    if not sys.stderr.isatty():
        echo(f"{label} on {total} pictures ...", err=True)
        yield lambda: None
        return
    from rich.console import Console  # noqa: PLC0415 - only where somebody looks
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda: progress.advance(task)
