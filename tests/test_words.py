"""No word of a library reaches the user: what others raise is never put into a sentence of ours."""

from __future__ import annotations

import ast
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from PIL import Image

from mattebox.core.errors import MatteboxError, reason_of
from mattebox.core.photo import read_photo
from mattebox.daemon.delivery.reason import _ADVICE, _ANY_ADVICE

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("cli", "core", "daemon", "gimp_plugin", "models", "web")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
# The system's own words and plain numbers; reason_of() chooses, explain() has words of its own.
SOUND = {"strerror", "errno", "code", "exitcode", "returncode", "place", "filename", "mistakes"}
CHOOSING = {
    "reason_of", "explain", "type", "isinstance", "_ending", "_why", "refusal", "_of_system", "_is_memory",
}  # fmt: skip
# Functions whose ValueError is raised by our own parsers of settings, or whose KeyError names a setting.
OURS = {("finish.py", "_colour"), ("notify.py", "_post"), ("cluster.py", "_parsed")}


def own_errors() -> set[str]:
    """The names of the exceptions that we define."""
    return {
        node.name
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }


def foreign_handlers(tree: ast.AST, own: set[str]) -> Iterator[ast.ExceptHandler]:
    """Each `except X as error` where X is not ours alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.name and node.type is not None:
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {
                kind.attr if isinstance(kind, ast.Attribute) else getattr(kind, "id", "") for kind in kinds
            }
            if not names <= own:
                yield node


def shows(node: ast.AST, name: str) -> bool:
    """Whether an expression takes an exception's own text."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name:
        return node.attr not in SOUND
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CHOOSING:
        return False
    if isinstance(node, ast.Name):
        return node.id == name
    return any(shows(child, name) for child in ast.iter_child_nodes(node))


def told(handler: ast.ExceptHandler) -> Iterator[int]:
    """The lines of a handler where the exception's own text becomes text of ours."""
    assert handler.name is not None
    for node in ast.walk(ast.Module(handler.body, [])):
        if isinstance(node, ast.FormattedValue) and shows(node.value, handler.name):
            yield node.lineno
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"str", "repr", "format"}
            and any(shows(argument, handler.name) for argument in node.args)
        ):
            yield node.lineno


def function_of(tree: ast.AST, line: int) -> str:
    """The name of the innermost function that a line is in."""
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    return max(found, key=lambda node: node.lineno).name if found else ""


@pytest.mark.slow
def test_no_foreign_exception_is_put_into_a_sentence() -> None:
    """Where anything but our own errors is caught, its text is not shown: only strerror, or reason_of()."""
    own = own_errors()
    wrong = []
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for handler in foreign_handlers(tree, own):
            wrong += [
                f"{path.relative_to(ROOT)}:{line}"
                for line in told(handler)
                if (path.name, function_of(tree, line)) not in OURS
            ]
    assert wrong == []


@pytest.mark.parametrize(
    "code",
    [
        "raise E(f'{path}: damaged ({error})')",
        "raise E(f'{str(error)[:200]}')",
        "raise E(f'{error.args[0]}')",
        "say(str(error))",
        "raise E(f'{error.strerror or error}')",
        "raise E(f'{first_line(error)}')",
    ],
)
def test_the_net_catches_each_way_of_showing(code: str) -> None:
    """What the test above looks for is found in each of the ways that stood in the program."""
    tree = ast.parse(f"try:\n    work()\nexcept Exception as error:\n    {code}")
    assert [line for handler in foreign_handlers(tree, {"OwnError"}) for line in told(handler)]


def hostile(folder: Path) -> Iterator[Path]:
    """Files whose decoders have much to say: each once told its reader a library's words."""
    tifffile.imwrite(folder / "a.tif", np.zeros((8, 8, 3), np.uint8))
    tiff = bytearray((folder / "a.tif").read_bytes())
    place = tiff.index(b"\x03\x01\x03\x00\x01\x00\x00\x00")  # tag 259, compression
    tiff[place + 8 : place + 10] = (48879).to_bytes(2, "little")
    yield _file(folder / "compression.tif", bytes(tiff))
    Image.new("RGB", (64, 64), "red").save(folder / "b.png")
    png = (folder / "b.png").read_bytes()
    yield _file(folder / "data.png", png.replace(b"IDAT", b"IDAT\x00\xff", 1))
    exif = zlib.compress(b"x")
    yield _file(folder / "chunk.png", png[:33] + len(exif).to_bytes(4, "big") + b"eXIf" + exif + png[33:])
    Image.effect_noise((64, 64), 90).convert("RGB").save(folder / "c.jpg")
    jpeg = (folder / "c.jpg").read_bytes()
    yield _file(folder / "tables.jpg", jpeg.replace(b"\xff\xdb", b"\xff\xd0"))
    yield _file(
        folder / "sections.psd", b"8BPS\x00\x01" + bytes(6) + b"\x00\x03\x00\x00\x00\x08" * 2 + b"\xff" * 64
    )
    yield _file(
        folder / "mode.psd",
        b"8BPS\x00\x01"
        + bytes(6)
        + b"\x00\x03"
        + (8).to_bytes(4, "big") * 2
        + b"\x00\x08\x00\x03"
        + b"\xee" * 99,
    )
    yield _file(folder / "bits.bmp", b"BM" + bytes(12) + (40).to_bytes(4, "little") + b"\x21" * 60)
    yield _file(folder / "blocks.gif", b"GIF89a\x08\x00\x08\x00\xf7\x00\x00" + b"\x2c" * 30)
    yield _file(folder / "boxes.avif", b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf" + b"\xff" * 80)
    yield _file(folder / "chunks.webp", b"RIFF\x40\x00\x00\x00WEBPVP8X" + b"\xff" * 60)


def _file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_hostile_files_are_refused_in_our_own_words(tmp_path: Path) -> None:
    """A refusal is the user's path and a sentence of ours; nothing of what the decoder said is in it."""
    refused = 0
    for path in hostile(tmp_path):
        try:
            read_photo(path)
        except MatteboxError as error:
            refused += 1
            sentence = str(error)
            assert sentence.startswith(f"{path}: ")
            assert sentence.endswith(".")
            chain: BaseException | None = error.__cause__
            while chain is not None:
                said = str(chain.args[0]).strip() if chain.args else ""
                assert len(said) < 4 or said not in sentence
                chain = chain.__cause__ or chain.__context__
    assert refused >= 6


def test_a_reason_is_the_systems_or_ours() -> None:
    """reason_of() gives strerror of an OSError, ours for what has none, and never a library's text."""
    assert reason_of(OSError(28, "No space left on device")) == "No space left on device"
    assert "0x7f" not in reason_of(ValueError("bad thing at 0x7f"))
    assert reason_of(TimeoutError()) == "there was no answer in time"


def test_advice_beside_a_sentence_does_not_contradict_it() -> None:
    """A refusal's sentence says itself what to do; what stands beside it in a reason file points to that."""
    kinds = {"PhotoError", "SettingsError", "MissingExtraError", "WeightsError", "InferenceError"}
    assert {kind for kind in kinds if "sentence" not in _ADVICE.get(kind, _ANY_ADVICE)} == set()
