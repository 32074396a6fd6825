"""Every name that we write, of any length, parity and script, comes back from ourselves and from others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psd_tools import PSDImage
from psd_tools.constants import Resource
from pydantic import ValidationError
from tests.core.write.psd.samples import build
from tests.core.write.psd.validator import inspect

from mattebox.core.photo import read_photo
from mattebox.core.settings import PsdNames, PsdOutput
from mattebox.core.write.psd import write
from mattebox.core.write.psd.anatomy import anatomy_of
from mattebox.core.write.psd.resources import pascal

if TYPE_CHECKING:
    from tests.core.write.psd.validator import Found

HERE = Path(__file__).parent
LAYERS: Final = ("subject", "clean", "shadow", "outline", "background", "original", "group")
_SCRIPTS: Final = "aZ ÄéñŁЖяعשדक写真漢字あ한🌸👩\u200d🚀.,'\"\\/:%&<>-_"
_MAC: Final = "".join(
    letter
    for letter in (bytes([byte]).decode("mac_roman") for byte in range(32, 256))
    if unicodedata.category(letter)[0] != "C" and unicodedata.normalize("NFC", letter) == letter
)
layer_names: Final = st.text(
    st.one_of(
        st.sampled_from(_SCRIPTS), st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\0")
    ),
    min_size=1,
    max_size=120,
)
path_names: Final = st.text(st.sampled_from(_MAC), min_size=1, max_size=31)
all_names: Final = st.builds(
    PsdNames, path=path_names, channel=layer_names, **dict.fromkeys(LAYERS, layer_names)
)


def written(folder: Path, name: str, names: PsdNames, *, group: bool = True) -> Path:
    """A file that carries each name once."""
    made = build(size=(24, 18), clean=True, shadow=True, outline=True)
    options = PsdOutput(names=names, group=group, original=True, clipping_path=True, mask="both")
    write(made, options, folder / name)
    return folder / name


def expected(names: PsdNames) -> list[str]:
    """The layers' names from the bottom up."""
    return [names.original, names.background, names.shadow, names.outline, names.clean, names.group]


def pascal_and_rest(found: Found) -> tuple[str, bytes]:
    """The name in resource 2999, and the bytes behind it."""
    data = found.resources[2999][1]
    return data[1 : 1 + data[0]].decode("mac_roman"), data[1 + data[0] :]


@pytest.mark.slow
@given(names=all_names)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_name_comes_back(tmp_path: Path, names: PsdNames) -> None:
    """By the specification, by psd-tools and by ourselves, each name is the one that was asked for."""
    path = written(tmp_path, "x.psd", names)
    found = inspect(path)
    assert found.faults == []
    heads = [layer.name for layer in found.layers if layer.divider != 3]
    assert heads == [*expected(names)[:-1], names.subject, names.group]
    assert pascal_and_rest(found) == (names.path, bytes([0, 0, 0, 0, 0, 1]))
    assert found.resources[2000][0].decode("mac_roman") == names.path
    psd = PSDImage.open(path)
    assert [layer.name for layer in psd] == expected(names)
    assert psd.image_resources.get_data(Resource.CLIPPING_PATH_NAME) == names.path
    assert psd.image_resources[2000].name == names.path
    assert list(psd.image_resources.get_data(Resource.ALPHA_NAMES_UNICODE)) == [names.channel]
    assert read_photo(path).width == 24
    with path.open("rb") as file:
        assert [layer.name for layer in anatomy_of(file, path).layers if layer.name in heads] == heads


SPELT: Final = (
    "Path 1",  # Photoshop's own default, and six more of each parity
    "Umriss",
    "Subject",
    "x",
    "xy",
    "Pfad ü",
    "Tracé é",
    "x" * 30,
    "x" * 31,
)


@pytest.fixture(scope="module")
def named_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, PsdNames]]:
    """One file for each spelling of the path's name, the layers' names growing with them."""
    folder = tmp_path_factory.mktemp("names")
    made = {}
    for number, name in enumerate(SPELT):
        longer = {key: f"{key} {'写真🌸é'[: number % 5]}{'n' * number * 20}" for key in LAYERS}
        names = PsdNames(path=name, channel="抠图"[: 1 + number % 2] + "c" * number, **longer)
        made[name] = (written(folder, f"{number}.psd", names), names)
    return made


@pytest.mark.slow
def test_ag_psd_reads_every_name(
    named_files: dict[str, tuple[Path, PsdNames]], node_path: str, tmp_path: Path
) -> None:
    """A reader that shares no code with us finds each layer's and channel's name and opens the whole file."""
    for number, (path, names) in enumerate(named_files.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        subprocess.run(
            ["node", HERE / "ag_psd_dump.cjs", path, folder, "--no-composite"],
            check=True,
            env={**os.environ, "NODE_PATH": node_path},
        )
        found = json.loads((folder / "found.json").read_text(encoding="utf-8"))
        assert [layer["name"] for layer in found["layers"]] == expected(names)
        assert found["channelNames"] == [names.channel]


@pytest.mark.slow
def test_exiftool_and_imagemagick_read_every_name(named_files: dict[str, tuple[Path, PsdNames]]) -> None:
    """ExifTool tells the clipping path and the layers by name, without a warning; ImageMagick the layers."""
    exiftool, identify = shutil.which("exiftool"), shutil.which("identify")
    if exiftool is None or identify is None:
        pytest.skip("install exiftool and imagemagick; see .ci/readers.sh")
    tags_asked = ["-ClippingPathName", "-LayerUnicodeNames", "-Warning"]
    for path, names in named_files.values():
        said = subprocess.run(
            [exiftool, "-charset", "photoshop=MacRoman", "-json", "-a", "-G1", *tags_asked, path],
            check=True,
            capture_output=True,
        ).stdout
        [tags] = json.loads(said)
        assert not [key for key in tags if key.endswith("Warning")]
        assert tags["Photoshop:ClippingPathName"] == names.path
        # ExifTool decodes no surrogate pairs: its question marks stand for an emoji.
        told = [name.replace("?", "") for name in tags["Photoshop:LayerUnicodeNames"]]
        wanted = [name.replace("🌸", "") for name in expected(names)]
        assert [name for name in told if name in wanted] == wanted
        labels = subprocess.run(
            [identify, "-format", "%[label]\n", path], check=True, capture_output=True
        ).stdout.decode("mac_roman")
        assert pascal(names.subject) in labels.split("\n")


@pytest.mark.parametrize("name", ["日本", "Путь", "🌸", "e\u0303x"])
def test_a_path_name_that_the_format_cannot_hold_is_refused(name: str) -> None:
    """A saved path has no Unicode name: what Mac Roman lacks is said before a photo is cut."""
    with pytest.raises(ValidationError, match="stored in Mac Roman"):
        PsdNames(path=name)


def test_accents_are_composed_as_the_format_stores_them() -> None:
    """A name typed on a Mac, with its accents apart, is the same name."""
    assert PsdNames(path=unicodedata.normalize("NFD", "Tracé")).path == "Tracé"


@pytest.mark.parametrize("key", [*LAYERS, "channel"])
def test_names_that_break_photoshop_are_refused(key: str) -> None:
    """At most 255 UTF-16 units, of which an emoji takes two; no control characters."""
    assert getattr(PsdNames(**{key: "🌸" * 127}), key) == "🌸" * 127
    with pytest.raises(ValidationError, match="at most 255 UTF-16 units, this one has 256"):
        PsdNames(**{key: "🌸" * 128})
    with pytest.raises(ValidationError, match=r"no control characters; this one has U\+0000"):
        PsdNames(**{key: "a\0b"})
    with pytest.raises(ValidationError):
        PsdNames(**{key: "\ud800"})
