"""What a sentence of the program advises works: commands, options, settings and extras are tried."""

from __future__ import annotations

import ast
import re
import shlex
import sys
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from pydantic import BaseModel, ValidationError
from tests.spoken import understood

from mattebox.cli.main import COMMANDS, app
from mattebox.core.extra import install_command, packages_of
from mattebox.core.settings import CutSettings, FinishSettings
from mattebox.core.settings.assign import GROUPS, resolves
from mattebox.core.settings.explain import models_at
from mattebox.daemon.config.keys import Config

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("cli", "core", "daemon", "gimp_plugin", "models", "web")
FILLED = "X"  # what an f-string fills in
COMMAND = re.compile(r"\bmattebox ([a-z][\w-]*(?: [\w-]+)*)")
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*)(?: ([a-z0-9#%]+))?")
PATH = re.compile(r"(?<![\w.])((?:cut|finish|output)(?:\.[a-z_]+)+)")
PAIR = re.compile(r"(?<![\w.-])([a-z_]+): (\[\[?[^\]]*\]\]?|\{[^}]*\}|[a-z0-9_]+)")
# Words of ordinary sentences that look like a command, an option's value or a key's.
PROSE = {"mattebox that", "--format says", "cut: leave", "state: folder", "layer: a", "defaults: a"}
# Options of the programs that sentences name beside ours.
OF_OTHERS = {"systemctl", "launchctl", "schtasks"}


@cache
def sentences() -> dict[str, list[str]]:
    """The texts of more than one word in the program, by file and line; descriptions of settings are not."""
    found: dict[str, list[str]] = {}
    for path in sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        passed: set[int] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                passed.add(id(node.value))
            if isinstance(node, ast.keyword) and node.arg == "description":
                passed.add(id(node.value))
            if isinstance(node, ast.JoinedStr):
                passed |= {id(part) for part in ast.walk(node) if part is not node}
        for node in ast.walk(tree):
            if id(node) not in passed and (text := text_of(node)) and " " in text:
                found.setdefault(f"{path.relative_to(ROOT)}:{node.lineno}", []).append(text)  # type: ignore[attr-defined]
    return found


def text_of(node: ast.AST) -> str:
    """The text of a constant or of an f-string, with X where something is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else FILLED for part in node.values)
    return ""


def wrong_advice(text: str) -> list[str]:
    """What a text advises and the program does not understand."""
    quoted = re.findall(r"'mattebox ([^']+)'", text)
    wrong = [f"mattebox {words}" for words in quoted if not is_understood(words.split())]
    for match in COMMAND.finditer(text):
        word = match[1].split()[0]
        if word not in COMMANDS and f"mattebox {word}" not in PROSE:
            wrong.append(match[0])
    if not any(program in text for program in OF_OTHERS):
        for option, value in OPTION.findall(text):
            if f"{option} {value}" not in PROSE and not is_option(option, value):
                wrong.append(f"{option} {value}".strip())
    wrong += [path for path in PATH.findall(text) if not resolves(path)]
    for key, value in PAIR.findall(text):
        if f"{key}: {value}" not in PROSE and is_key(key) and not accepts(key, value):
            wrong.append(f"{key}: {value}")
    return wrong


def is_understood(words: list[str]) -> bool:
    """Whether a command is parsed, with a configuration or a name where the sentence leaves that out."""
    for left_out in ([], ["config.yaml"], ["u2net", "file.onnx"]):
        try:
            understood([*words, *left_out])
        except click.MissingParameter:
            continue
        except click.ClickException:
            return False
        return True
    return False


@cache
def commands() -> list[click.Command]:
    """The whole tree of commands."""
    found: list[click.Command] = [app]
    for command in found:
        if isinstance(command, click.Group):
            context = click.Context(command)
            below = (command.get_command(context, name) for name in command.list_commands(context))
            found += [item for item in below if item is not None]
    return found


def is_option(option: str, value: str) -> bool:
    """Whether a command has this option; one of `cut` must take the value too, if it takes one."""
    if option in {"--help", "--version"}:
        return True
    having = [
        (command, parameter)
        for command in commands()
        for parameter in command.params
        if option in (*parameter.opts, *parameter.secondary_opts)
    ]
    for command, parameter in having:
        if command.name == "cut" and value and isinstance(parameter, click.Option) and not parameter.is_flag:
            return is_understood(["cut", "photo.jpg", option, value])
    return bool(having)


@cache
def models() -> list[type[BaseModel]]:
    """Every model of settings and of the hot folders' YAML."""
    found: list[type[BaseModel]] = [Config, *(model for group in GROUPS.values() for model in group)]
    for model in found:
        for name in model.model_fields:
            found += [below for below in models_at(model, [name]) if below not in found]
    return found


def is_key(key: str) -> bool:
    """Whether a word is a key of some model, by its name or its alias."""
    return any(key in keys_of(model) for model in models())


def keys_of(model: type[BaseModel]) -> dict[str, str]:
    """The keys of a model as YAML writes them, and their fields."""
    return {field.alias or name: name for name, field in model.model_fields.items()}


def accepts(key: str, text: str) -> bool:
    """Whether some model takes `key: text`, or has the key that `text` is below it."""
    value: Any = yaml.safe_load(re.sub(r"\b[xy]\b", "1", text))
    asked = [model for model in (CutSettings, FinishSettings) if key in model.model_fields]
    for model in asked or models():
        name = keys_of(model).get(key)
        if name is None:
            continue
        if any(value in keys_of(below) for below in models_at(model, [name]) if isinstance(value, str)):
            return True
        try:
            model.model_validate({key: value})
        except ValidationError as error:
            if not any(item["loc"][:1] in {(key,), (name,)} for item in error.errors()):
                return True
        else:
            return True
    return False


@pytest.mark.slow
def test_every_advice_of_every_sentence_works() -> None:
    """No sentence of the program names a command, an option, a path or a key that is not understood."""
    wrong = [
        f"{place}: {advice}"
        for place, texts in sentences().items()
        for text in texts
        for advice in wrong_advice(text)
    ]
    assert wrong == []


def test_the_net_sees_the_advice_that_there_is() -> None:
    """The texts that are looked through hold advice of each sort, in some number."""
    texts = [text for found in sentences().values() for text in found]
    for pattern, least in ((COMMAND, 30), (OPTION, 12), (PATH, 5), (PAIR, 10)):
        assert sum(len(pattern.findall(text)) for text in texts) >= least


@pytest.mark.parametrize(
    "text",
    [
        "X: run 'mattebox repair X'.",
        "run 'mattebox models mend u2net'.",
        "run 'mattebox models optimize u2net --undo'.",
        "use mattebox mend on it.",
        "use --overwrit or another name.",
        "give it --background whitest.",
        "give it --subject keep.",
        "raise it with the setting cut.limits.size.",
        "raise it with output.name.subject.",
        "choose with subject: keep.",
        "or use quality: good.",
        "needs in_place: perhaps.",
        "raise engine: patience.",
    ],
)
def test_wrong_advice_of_each_sort_is_caught(text: str) -> None:
    """Advice that does not work, as it once stood in the program or might, fails the test above."""
    assert wrong_advice(text)


@pytest.mark.parametrize("extra", ["raw", "openvino", "metrics", "web", "cluster"])
def test_the_advice_to_install_an_extra_names_this_environment(extra: str) -> None:
    """It names this interpreter's own pip and packages that any index has, not Mattebox itself."""
    words = shlex.split(install_command(extra))
    assert words[:4] == [sys.executable, "-m", "pip", "install"]
    assert words[4:] == packages_of(extra)
    assert not any("mattebox" in word for word in words[4:])
    assert not any("pip install '" in text or "pip install mattebox" in text for text in all_texts())


def all_texts() -> list[str]:
    """Every text of the program."""
    return [text for found in sentences().values() for text in found]
