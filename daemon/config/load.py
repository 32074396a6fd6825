"""load_config: a YAML file to a checked configuration, or to lines FILE:LINE:COLUMN."""

from __future__ import annotations

import functools
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from mattebox.core.settings import FORMATS
from mattebox.core.settings.explain import nearest
from mattebox.core.settings.sentences import alternatives, real_location, sentence
from mattebox.core.settings.yamlfile import YamlFile, YamlMistakeError, read_yaml
from mattebox.daemon.config.check import mistakes
from mattebox.daemon.config.keys import Config
from mattebox.daemon.config.named_files import missing_files
from mattebox.daemon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_DELIVER: Final = "write a list of outputs, such as [{format: png, to: ./out/{stem}.png}]"


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A checked configuration, its file, the folder that its paths start from, and its state folder."""

    path: Path
    base: Path
    state: Path
    config: Config


def load_config(path: Path, *, files: bool = False) -> LoadedConfig:
    """The configuration in a file. Raises ConfigError with every mistake that was found.

    files: look for the files that its settings name, too.
    """
    try:
        file = read_yaml(path)
    except OSError as error:
        raise ConfigError([f"{path}: the configuration cannot be read ({error.strerror})."]) from error
    except YamlMistakeError as error:
        raise ConfigError([_line(path, error.place, error.message)]) from error
    base = path.absolute().parent
    if not isinstance(file.data, dict):
        raise ConfigError([_line(path, (1, 1), "a configuration is a mapping with version: 1 and folders:")])
    try:
        config = Config.model_validate(file.data, context={"base": base})
    except ValidationError as error:
        raise ConfigError(list(_explained(path, file, error))) from error
    try:
        found = [
            (file.place(mistake.location, at_value=mistake.at_value), mistake.message)
            for mistake in [*mistakes(config, base), *(missing_files(config) if files else ())]
        ]
    except (OSError, ValueError) as error:
        # Whatever a value is that its own check lets through: a reload of a running daemon gets here too.
        raise ConfigError(
            [_line(path, (1, 1), "this configuration names a path that cannot be used")]
        ) from error
    if found:
        raise ConfigError([_line(path, place, message) for place, message in sorted(found)])
    return LoadedConfig(path, base, config.state or _state_folder(path), config)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the configuration, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Config.model_json_schema(by_alias=True),
        "title": "Mattebox hot folders",
    }


def _state_folder(path: Path) -> Path:
    """The platform's state folder for one configuration: its own name and its path's hash."""
    from platformdirs import user_state_path  # noqa: PLC0415 - only where the YAML names no folder

    whole = os.fsencode(path.resolve())
    return (
        user_state_path("mattebox", appauthor=False) / f"{path.stem}-{hashlib.sha256(whole).hexdigest()[:12]}"
    )


def _explained(path: Path, file: YamlFile, error: ValidationError) -> Iterator[str]:
    told: dict[tuple[tuple[int, int], str], list[str]] = {}
    for mistake in error.errors(include_url=False):
        unknown = mistake["type"] == "extra_forbidden"
        location = real_location(mistake["loc"], file.data)
        place = file.place(location, at_value=not unknown)
        told.setdefault((place, _dotted(location)), []).append(_sentence(mistake))
    for (place, where), sentences in sorted(told.items()):
        yield _line(path, place, f"{where}: {alternatives(sentences)}")


def _sentence(mistake: Any) -> str:
    location = mistake["loc"]
    if mistake["type"] == "extra_forbidden":
        return f"there is no such key{nearest(str(location[-1]), _known_keys(tuple(location[:-1])))}"
    if mistake["type"] == "missing":
        return "this key is missing"
    if mistake["type"] == "union_tag_not_found":
        return f"the key format is missing ({', '.join(FORMATS)})"
    if mistake["type"] == "union_tag_invalid":
        tag = str(mistake["ctx"]["tag"])
        return f"there is no format {tag!r}{nearest(tag, FORMATS)}"
    if "deliver" in location and mistake["type"] in ("list_type", "model_attributes_type", "dict_type"):
        return _DELIVER
    return sentence(mistake)


def _dotted(location: Sequence[str | int]) -> str:
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "the configuration"


@functools.cache
def _schema() -> dict[str, Any]:
    return Config.model_json_schema(by_alias=True)


@functools.cache
def _known_keys(location: tuple[str | int, ...]) -> tuple[str, ...]:
    """The keys that would be right at a place, found by walking the JSON Schema."""
    schema = _schema()
    definitions = schema["$defs"]

    def resolved(node: dict[str, Any]) -> list[dict[str, Any]]:
        if "$ref" in node:
            return resolved(definitions[node["$ref"].rpartition("/")[2]])
        options = node.get("anyOf") or node.get("allOf")
        return [leaf for option in options for leaf in resolved(option)] if options else [node]

    nodes = resolved(schema)
    for part in location:
        following: list[dict[str, Any]] = []
        for node in nodes:
            mapping = node.get("discriminator", {}).get("mapping", {})
            if isinstance(part, int) and "items" in node:
                following += resolved(node["items"])
            elif part in node.get("properties", {}):
                following += resolved(node["properties"][part])
            elif part in mapping:
                following += resolved({"$ref": mapping[part]})
        nodes = following or nodes
    return tuple(sorted({key for node in nodes for key in node.get("properties", {})}))


def _line(path: Path, place: tuple[int, int], message: str) -> str:
    return f"{path}:{place[0]}:{place[1]}: {message}"
