"""`mattebox models`: which networks exist, and where their weights are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mattebox.cli.fetching import FetchProgress
from mattebox.cli.optimize import optimize
from mattebox.models.catalogue import find_network, load_catalogue
from mattebox.models.errors import LicenceError, MatteboxError
from mattebox.models.optimised import find_optimised
from mattebox.models.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattebox.models.catalogue import Network

_COMMERCIAL: Final = {True: "yes", False: "no", None: "not stated"}
_WIDE: Final = 120


@click.group(name="models")
def command() -> None:
    """List, fetch and verify the networks.

    Weights lie in MATTEBOX_MODELS, or in the platform's cache folder. With MATTEBOX_OFFLINE=1
    nothing is ever fetched.
    """


command.add_command(optimize)


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def list_networks(*, as_json: bool) -> None:
    """Show every network: size, licence of the weights, and whether it is here."""
    store = Store()
    if as_json:
        rows = [_row(network, store) for network in load_catalogue().values()]
        click.echo(json.dumps(rows, indent=2))
        return
    from rich import box  # noqa: PLC0415 - a table is drawn here only
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console = Console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Network", no_wrap=True)
    for title in ("Here", "MB", "Pixels", "Licence of the weights", "Commercial use", "For"):
        table.add_column(title, justify="right" if title in {"MB", "Pixels"} else "left")
    # The last column says the least that a person must know: a narrow terminal goes without it.
    table.columns[-1].min_width = 30
    if console.width < _WIDE:
        table.columns.pop()
    for network in load_catalogue().values():
        cells = (
            network.name,
            _here(network, store),
            f"{network.size / 1e6:.0f}" if network.size else "?",
            str(network.input_size),
            network.licence,
            _COMMERCIAL[network.commercial],
            network.about,
        )
        table.add_row(*cells[: len(table.columns)])
    console.print(table)
    click.echo("A network without commercial use needs --accept-licence, or accept_licence: true in YAML.")


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--accept-licence", is_flag=True, help="Accept a licence that forbids commercial use.")
@click.pass_context
def pull(context: click.Context, *, names: tuple[str, ...], accept_licence: bool) -> None:
    """Fetch the weights of each NAME, unless they are here already."""
    store = Store(progress=FetchProgress())
    _each(
        context,
        names,
        lambda network: f"{network.name}: {store.ensure(network, accept_licence=accept_licence)}",
    )


@command.command()
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.pass_context
def verify(context: click.Context, *, names: tuple[str, ...]) -> None:
    """Read the weights of each NAME (default: all that are here) whole and check them."""
    store = Store()
    here = tuple(name for name, network in load_catalogue().items() if store.path(network).exists())
    if not names and not here:
        click.echo(f"There are no weights in {store.folder}.")
    _each(context, names or here, lambda network: f"{network.name}: sound, sha256 {store.verify(network)}")


@command.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
def add(*, name: str, file: Path) -> None:
    """Place a FILE of yours as the weights of NAME; it is checked like a fetched one."""
    network = find_network(name)
    click.echo(f"{network.name}: {Store().add(network, file)}")


@command.command()
@click.argument("name", required=False)
@click.pass_context
def path(context: click.Context, *, name: str | None) -> None:
    """Print the folder of weights, or the file of NAME (exit status 1 if it is not here)."""
    store = Store()
    if name is None:
        click.echo(store.folder)
        return
    network = find_network(name)
    click.echo(store.path(network))
    if store.find(network) is None:
        click.echo(
            f"The weights of {name} are not here; fetch them with 'mattebox models pull {name}'.", err=True
        )
        context.exit(1)


def _each(context: click.Context, names: tuple[str, ...], work: Callable[[Network], str]) -> None:
    """Do `work` for each network; names are all checked first, then a failure stops no other."""
    networks = [find_network(name) for name in dict.fromkeys(names)]
    status = 0
    for network in networks:
        try:
            click.echo(work(network))
        except MatteboxError as error:
            click.echo(str(error), err=True)
            status = max(status, 2 if isinstance(error, LicenceError) else 1)
    context.exit(status)


def _here(network: Network, store: Store) -> str:
    if store.find(network) is None:
        return ""
    optimised = find_optimised(store, network)
    return "yes" if optimised is None else f"yes, {optimised[1].kind}"


def _row(network: Network, store: Store) -> dict[str, object]:
    path = store.find(network)
    optimised = find_optimised(store, network) if path is not None else None
    return {
        "name": network.name,
        "about": network.about,
        "here": path is not None,
        "path": str(path) if path is not None else None,
        "optimised": optimised[1].kind if optimised is not None else None,
        "size": network.size,
        "input_size": network.input_size,
        "licence": network.licence,
        "commercial": network.commercial,
        "sha256": network.sha256,
        "sources": [source.label for source in network.sources],
    }
