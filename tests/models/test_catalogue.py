"""The catalogue tells the truth about its networks."""

from __future__ import annotations

import dataclasses
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from mattebox.models.catalogue import UrlSource, find_network, load_catalogue
from mattebox.models.errors import UnknownNetworkError

PACKAGE = files("mattebox.models")
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 1 / 255)


@pytest.mark.parametrize(
    ("name", "side", "preprocessing", "activation"),
    [
        ("u2net", 320, IMAGENET, "none"),
        ("u2netp", 320, IMAGENET, "none"),
        ("u2net_human_seg", 320, IMAGENET, "none"),
        ("silueta", 320, IMAGENET, "none"),
        ("isnet-general-use", 1024, ((0.5,) * 3, (1.0,) * 3, 1 / 255), "minmax"),
        ("isnet-anime", 1024, ((0.0,) * 3, (1.0,) * 3, 1 / 255), "none"),
        ("birefnet-general", 1024, IMAGENET, "sigmoid"),
        ("birefnet-general-lite", 1024, IMAGENET, "sigmoid"),
        ("birefnet-lite-512", 512, IMAGENET, "sigmoid"),
        ("birefnet-portrait", 1024, IMAGENET, "sigmoid"),
        ("bria-rmbg", 1024, IMAGENET, "minmax"),
        ("imgly-isnet", 1024, ((128.0,) * 3, (256.0,) * 3, 1.0), "none"),
    ],
)
def test_preprocessing_is_the_authors(
    name: str, side: int, preprocessing: tuple[object, ...], activation: str
) -> None:
    """Each network gets its pixels as its authors prepare them."""
    network = find_network(name)
    assert network.input_size == side
    assert (network.mean, network.std, network.scale) == preprocessing
    assert network.activation == activation


def test_every_row_can_be_verified() -> None:
    """Each row has a size, a sha256 in lower-case hexadecimal, a file of its own and a source."""
    rows = load_catalogue().values()
    assert len({row.file for row in rows}) == len(rows)
    for row in rows:
        assert row.size is not None
        assert row.sha256 is not None
        assert len(bytes.fromhex(row.sha256)) == 32
        assert row.sha256 == row.sha256.lower()
        assert row.sources
        assert row.licence
        assert row.file.endswith(".onnx" if row.kind == "salient" else ".pt")


def test_official_address_comes_first_and_packages_after_it() -> None:
    """The default network's first source is its release, its second a package with the same bytes."""
    first, second = find_network("u2net").sources
    assert isinstance(first, UrlSource)
    assert not isinstance(second, UrlSource)


def test_only_a_stated_prohibition_is_called_non_commercial() -> None:
    """Bria's weights forbid commercial use; where nobody says anything, the row says that."""
    rows = load_catalogue()
    assert [name for name, row in rows.items() if row.commercial is False] == ["bria-rmbg"]
    assert rows["silueta"].commercial is None
    assert rows["u2net"].commercial is True


def test_every_row_says_what_its_weights_were_trained_on() -> None:
    """Each row has a sentence on its training data, and no row calls data open that its sets restrict."""
    rows = load_catalogue()
    for row in rows.values():
        assert row.training_data in ("open", "restricted", "not stated")
        assert row.training_source.endswith(".")
    restricted = {name for name, row in rows.items() if row.training_data == "restricted"}
    assert {name for name in rows if name.startswith("birefnet")} <= restricted
    assert {"u2net", "u2netp", "u2net_human_seg", "isnet-general-use"} <= restricted


@pytest.mark.parametrize(
    ("commercial", "data", "sure"),
    [
        (True, "open", True),
        (True, "restricted", False),
        (True, "not stated", False),
        (None, "open", False),
        (False, "open", False),
    ],
)
def test_commercial_use_is_sure_where_both_facts_allow_it(commercial: Any, data: Any, sure: bool) -> None:
    """A licence alone, or open data alone, is not enough."""
    row = dataclasses.replace(find_network("u2net"), commercial=commercial, training_data=data)
    assert row.is_surely_commercial is sure


@pytest.mark.parametrize(
    ("typo", "meant"),
    [("u2ent", "u2net"), ("SILUETTA", "silueta"), ("birefnetportrait", "birefnet-portrait")],
)
def test_unknown_name_is_answered_with_the_nearest(typo: str, meant: str) -> None:
    """A mistyped network is an error that names the one that was probably meant."""
    with pytest.raises(UnknownNetworkError, match=f"no network named {typo!r}; did you mean {meant}"):
        find_network(typo)


def test_hopeless_name_is_answered_with_the_list() -> None:
    """A name that resembles nothing is answered with all names."""
    with pytest.raises(UnknownNetworkError, match="known are u2net, u2netp"):
        find_network("zzzzzz")


def test_rows_are_frozen() -> None:
    """Nobody changes a network for everybody else."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        find_network("u2net").input_size = 1  # type: ignore[misc] # the mistake under test


def test_what_is_read_is_what_is_written_by_hand() -> None:
    """catalogue.json holds the rows of catalogue.yaml; `python -m tests.models.test_catalogue` writes it."""
    assert json.loads(PACKAGE.joinpath("catalogue.json").read_bytes()) == _rows()


def _rows() -> dict[str, Any]:
    return {"networks": yaml.safe_load(PACKAGE.joinpath("catalogue.yaml").read_bytes())["networks"]}


if __name__ == "__main__":
    Path(str(PACKAGE), "catalogue.json").write_text(json.dumps(_rows(), indent=1) + "\n", encoding="utf-8")
