"""load_config: a YAML file to a checked configuration, or to lines FILE:LINE:COLUMN."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from mattebox.core.settings import FORMATS
from mattebox.core.settings.explain import nearest
from mattebox.core.settings.yamlfile import YamlFile, YamlMistakeError, read_yaml
from mattebox.daemon.check import mistakes
from mattebox.daemon.config import Config
from mattebox.daemon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A checked configuration, its file, the folder that its paths start from, and its state folder."""

    path: Path
    base: Path
    state: Path
    config: Config


def load_config(path: Path) -> LoadedConfig:
    """The configuration in a file. Raises ConfigError with every mistake that was found."""
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
    found = [
        (file.place(mistake.location, at_value=mistake.at_value), mistake.message)
        for mistake in mistakes(config, base)
    ]
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
    lines = []
    for mistake in error.errors(include_url=False):
        location = mistake["loc"]
        unknown = mistake["type"] == "extra_forbidden"
        place = file.place(location, at_value=not unknown)
        lines.append((place, _sentence(location, mistake)))
    for place, message in dict.fromkeys(sorted(lines)):
        yield _line(path, place, message)


def _sentence(location: Sequence[str | int], mistake: Any) -> str:
    where = _dotted(location)
    if mistake["type"] == "extra_forbidden":
        return f"{where}: there is no such key{nearest(str(location[-1]), _known_keys(location[:-1]))}"
    if mistake["type"] == "missing":
        return f"{where}: this key is missing"
    if mistake["type"] == "union_tag_not_found":
        return f"{where}: the key format is missing ({', '.join(FORMATS)})"
    if mistake["type"] == "union_tag_invalid":
        tag = str(mistake["ctx"]["tag"])
        return f"{where}: there is no format {tag!r}{nearest(tag, FORMATS)}"
    message = str(mistake["msg"]).removeprefix("Value error, ")
    given = mistake.get("input")
    shown = ""
    if isinstance(given, str | int | float | bool) and len(str(given)) < _SHOWN:
        shown = f" (given: {given!r})"
    return f"{where}: {message[:1].lower()}{message[1:].rstrip('.')}{shown}"


def _dotted(location: Sequence[str | int]) -> str:
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "the configuration"


def _known_keys(location: Sequence[str | int]) -> list[str]:
    """The keys that would be right at a place, found by walking the JSON Schema."""
    schema = Config.model_json_schema(by_alias=True)
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
    return sorted({key for node in nodes for key in node.get("properties", {})})


def _line(path: Path, place: tuple[int, int], message: str) -> str:
    return f"{path}:{place[0]}:{place[1]}: {message}"
