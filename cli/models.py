"""`mattebox models`: which networks exist, and where their weights are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mattebox.cli.echo import echo
from mattebox.cli.fetching import FetchProgress
from mattebox.cli.optimize import optimize
from mattebox.models.catalogue import find_network, load_catalogue
from mattebox.models.errors import LicenceError, MatteboxError
from mattebox.models.optimised import find_optimised
from mattebox.models.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattebox.models.catalogue import Network

_COMMERCIAL: Final = {True: "allowed", False: "forbidden", None: "not stated"}
_NARROW: Final = 80
_WIDE: Final = 120
_WIDE_ONLY: Final = ("MB", "Pixels", "For")
_WRAPPED: Final = ("Licence of the weights", "For")
_CLOSING: Final = (
    "The licence of the weights and the terms of what they were trained on are two things: read both. "
    "Where the licence forbids commercial use, --accept-licence (accept_licence: true in YAML) is needed. "
    "Mattebox's own refiner is MIT, its training data open (models/REFINER.md)."
)


@click.group(name="models")
def command() -> None:
    """List, fetch and verify the networks.

    Weights lie in MATTEBOX_MODELS, or in the platform's cache folder. With MATTEBOX_OFFLINE=1
    nothing is ever fetched.
    """


command.add_command(optimize)


@command.command(name="list")
@click.option(
    "--commercial",
    is_flag=True,
    help="Only those whose licence allows commercial use and whose training data is open.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def list_networks(*, commercial: bool, as_json: bool) -> None:
    """Show every network: licence of the weights, terms of the training data, and whether it is here."""
    store = Store()
    networks = [row for row in load_catalogue().values() if row.is_surely_commercial or not commercial]
    if as_json:
        click.echo(json.dumps([_row(network, store) for network in networks], indent=2))
    elif networks:
        _print_table(networks, store)
    else:
        click.echo(
            "No network has both a licence that allows commercial use and training data whose terms do; "
            "'mattebox models list' says what each of them has."
        )


def _print_table(networks: list[Network], store: Store) -> None:
    """The networks, and below them what each was trained on; a narrow terminal goes without sizes."""
    from rich import box  # noqa: PLC0415 - a table is drawn here only
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console = Console(highlight=False)
    console.width = max(console.width, _NARROW)
    rows = [_words(network, store) for network in networks]
    titles = [title for title in rows[0] if console.width >= _WIDE or title not in _WIDE_ONLY]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for title in titles:
        texts = [title, *(row[title] for row in rows)]
        # As wide as its longest word, or cell where cells stay whole: a heading breaks, and is never cut.
        words = [word for text in texts for word in text.split()]
        whole = [] if title in {"Here", *_WRAPPED} else texts[1:]
        width = None if title in _WRAPPED else max(map(len, words + whole))
        table.add_column(title, width=width, justify="right" if title in {"MB", "Pixels"} else "left")
    for row in rows:
        table.add_row(*(row[title] for title in titles))
    console.print(table)
    console.print("What they were trained on:")
    for source, names in _by_training(networks).items():
        console.print(f"- {', '.join(names)}: {source}", markup=False)
    console.print(f"\n{_CLOSING}", markup=False)


def _words(network: Network, store: Store) -> dict[str, str]:
    """A network's row by the table's headings."""
    return {
        "Network": network.name,
        "Here": _here(network, store),
        "MB": f"{network.size / 1e6:.0f}" if network.size else "?",
        "Pixels": str(network.input_size),
        "Licence of the weights": network.licence,
        "Commercial use by licence": _COMMERCIAL[network.commercial],
        "Training data": network.training_data,
        "For": network.about,
    }


def _by_training(networks: list[Network]) -> dict[str, list[str]]:
    """Names of networks by the sentence on their training data."""
    found: dict[str, list[str]] = {}
    for network in networks:
        found.setdefault(network.training_source, []).append(network.name)
    return found


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
        echo(f"There are no weights in {store.folder}.")
    _each(context, names or here, lambda network: f"{network.name}: sound, sha256 {store.verify(network)}")


@command.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
def add(*, name: str, file: Path) -> None:
    """Place a FILE of yours as the weights of NAME; it is checked like a fetched one."""
    network = find_network(name)
    echo(f"{network.name}: {Store().add(network, file)}")


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
        echo(f"The weights of {name} are not here; fetch them with 'mattebox models pull {name}'.", err=True)
        context.exit(1)


def _each(context: click.Context, names: tuple[str, ...], work: Callable[[Network], str]) -> None:
    """Do `work` for each network; names are all checked first, then a failure stops no other."""
    networks = [find_network(name) for name in dict.fromkeys(names)]
    status = 0
    for network in networks:
        try:
            echo(work(network))
        except MatteboxError as error:
            echo(str(error), err=True)
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
        "training_data": network.training_data,
        "training_source": network.training_source,
        "sha256": network.sha256,
        "sources": [source.label for source in network.sources],
    }
