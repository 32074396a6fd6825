"""What a rule of a hot-folder YAML says, with its defaults filled in: the same for hot folder and editor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from mattebox.core.errors import SettingsError
from mattebox.core.settings.base import Settings
from mattebox.core.settings.cut import CutSettings
from mattebox.core.settings.explain import as_sentence, explain
from mattebox.core.settings.yamlfile import YamlMistakeError, read_yaml

if TYPE_CHECKING:
    from pathlib import Path

Some = TypeVar("Some", bound=Settings)


def rule_name(own: str, index: int) -> str:
    """A rule's own name, or rule-1, rule-2, ... by its place (from 0) in its folder."""
    return own or f"rule-{index + 1}"


def layered(own: Some, defaults: Some, **lowest: Any) -> Some:
    """What `own` says, over what `defaults` says, over `lowest`; unsaid things keep their own defaults."""
    # A preset's settings were filled in when the configuration was read; its name has done its part.
    layers = [item.model_dump(exclude_unset=True, exclude={"preset"}) for item in (defaults, own)]
    return type(own).model_validate({**lowest, **layers[0], **layers[1]})


def rule_cut(own: CutSettings, defaults: CutSettings, model: str | None) -> CutSettings:
    """How a rule cuts: its own settings over those of `defaults`, over the engine's network."""
    return layered(own, defaults, **({} if model is None else {"model": model}))


def read_rule(path: Path, name: str) -> CutSettings:
    """How the rule called `name` in a YAML cuts; where the file has one rule, the name may be empty.

    Of the file only `cut:` of rules and of `defaults:` and `engine: {model: ...}` are looked at. FOLDER/NAME
    tells equal names apart. Raises SettingsError.
    """
    config = _read(path)
    rules = _rules(path, config)
    found = [cut for names, cut in rules if not name or name in names]
    if len(found) != 1:
        known = ", ".join(names[0] for names, _ in rules)
        wanted = f"one rule called {name!r}" if name else "a single rule; name one"
        raise SettingsError(f"{path} does not have {wanted}. Its rules: {known}.")
    own, defaults = (_cut(path, part) for part in (found[0], _part(config.get("defaults"), "cut")))
    model = _part(config, "engine").get("model")
    return rule_cut(own, defaults, None if model is None else str(model))


def _read(path: Path) -> dict[str, Any]:
    try:
        config = read_yaml(path).data
    except OSError as error:
        raise SettingsError(f"{path}: the rules cannot be read ({error.strerror}).") from error
    except YamlMistakeError as error:
        line, column = error.place
        raise SettingsError(f"{path}:{line}:{column}: {error.message}.") from error
    if not isinstance(config, dict):
        raise SettingsError(f"{path} holds no rules; run 'mattebox check' on it.")
    return config


def _rules(path: Path, config: dict[str, Any]) -> list[tuple[tuple[str, str], dict[str, Any]]]:
    found = []
    for folder in _list(config.get("folders")):
        for index, rule in enumerate(_list(folder.get("rules"))):
            name = rule_name(str(rule.get("name") or ""), index)
            found.append(((name, f"{folder.get('name', '')}/{name}"), _part(rule, "cut")))
    if not found:
        raise SettingsError(f"{path} holds no rules; run 'mattebox check' on it.")
    return found


def _cut(path: Path, values: dict[str, Any]) -> CutSettings:
    try:
        return CutSettings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(as_sentence(f"{path}: {explain(error, CutSettings, 'cut')}")) from error


def _list(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _part(value: Any, key: str) -> dict[str, Any]:
    part = value.get(key) if isinstance(value, dict) else None
    return part if isinstance(part, dict) else {}
