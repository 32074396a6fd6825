"""Networks by name, for those who plan work without doing it: no array library is loaded."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from mattebox.models.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mattebox.core.settings import CutSettings

__all__ = [
    "Progress",
    "check_network",
    "fetch_networks",
    "input_side",
    "is_offline",
    "networks_here",
    "weights_in_use",
]


def check_network(name: str) -> None:
    """Raise UnknownNetworkError, with the nearest name, where no network of that name finds subjects."""
    from mattebox.models.catalogue import find_salient  # noqa: PLC0415 - reads the catalogue

    find_salient(name)


def networks_here() -> list[str]:
    """The names of the networks that find subjects and whose weights are on this computer.

    Those whose licence forbids commercial use are left out: nobody has consented to it here.
    """
    from mattebox.models.catalogue import load_catalogue  # noqa: PLC0415 - reads the catalogue
    from mattebox.models.store import Store  # noqa: PLC0415

    store = Store()
    rows = load_catalogue().values()
    allowed = [row for row in rows if row.kind == "salient" and row.commercial is not False]
    return [row.name for row in allowed if store.find(row) is not None]


def is_offline() -> bool:
    """Whether MATTEBOX_OFFLINE forbids all traffic but that within this machine."""
    from mattebox.models import store  # noqa: PLC0415 - loads what fetching needs

    return store.is_offline()


def input_side(name: str) -> int:
    """The side of the square that a network looks at, in pixels. Raises UnknownNetworkError."""
    from mattebox.models.catalogue import find_network  # noqa: PLC0415 - reads the catalogue

    return find_network(name).input_size


def fetch_networks(
    cuts: Iterable[CutSettings],
    progress: Progress | None = None,
    device: str = "auto",
    *,
    quick: bool = True,
) -> dict[str, Path]:
    """The verified weights of every network that `cuts` name, fetched where they are missing.

    quick: where they are new on this computer, their quicker form is made too (`quick.make_quick`).

    Where one of them points or is judged, the promptable network is fetched too; that it cannot be had is no
    error, for both go without it. Raises UnknownNetworkError, LicenceError, WeightsError.
    """
    from mattebox.core.network.quick import make_quick  # noqa: PLC0415
    from mattebox.models.catalogue import PROMPTABLE, find_network  # noqa: PLC0415 - loads what fetching needs
    from mattebox.models.errors import WeightsError  # noqa: PLC0415
    from mattebox.models.store import Store  # noqa: PLC0415

    store, cuts = Store(progress=progress), list(cuts)
    if any(cut.prompts.any for cut in cuts):
        with suppress(WeightsError):
            store.ensure(find_network(PROMPTABLE))
    elif any(cut.needs_promptable for cut in cuts):
        with suppress(WeightsError):
            store.ensure_optional(find_network(PROMPTABLE))
    found = {}
    for cut in cuts:
        network = find_network(cut.model)
        found[cut.model] = store.ensure(network, accept_licence=cut.accept_licence)
        if quick:
            make_quick(store, network, cut.precision, device)
    return found


def weights_in_use(cuts: Iterable[CutSettings]) -> dict[str, str]:
    """The sha256 of every file of weights that a worker on this machine would load for `cuts`, by name.

    Missing ones are left out, nothing is fetched. With `quality: best` companions that are here count; 8-bit
    forms do not, for processors differ in them. Raises UnknownNetworkError.
    """
    from mattebox.models.catalogue import COMPANIONS, PROMPTABLE, find_network  # noqa: PLC0415 - as above
    from mattebox.models.seal import read_seal  # noqa: PLC0415
    from mattebox.models.store import Store  # noqa: PLC0415

    store, found = Store(), {}
    wanted: dict[str, None] = {}
    for cut in cuts:
        wanted[cut.model] = None
        if cut.quality == "best":
            wanted |= dict.fromkeys(name for name in COMPANIONS if _allowed(name, cut))
        if cut.needs_promptable:
            wanted[PROMPTABLE] = None
    for name in wanted:
        network = find_network(name)
        path = store.find(network)
        seal = read_seal(path) if path is not None else None
        if seal is not None:
            found[name] = seal.sha256
    return found


def _allowed(name: str, cut: CutSettings) -> bool:
    """Whether a companion may be used: never against its licence."""
    from mattebox.models.catalogue import find_network  # noqa: PLC0415 - as above

    return find_network(name).commercial is not False or cut.accept_licence
