"""The `cut:` settings of one rule of a hot-folder YAML, so that editor and hot folder give the same matte.

The daemon's room is not imported from here: a rule's `cut:`, `defaults:` and `engine: {model: ...}` are
read with the same settings that the daemon uses, and nothing else of the file is looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml
from pydantic import ValidationError

from mattebox.core.errors import SettingsError
from mattebox.core.settings import CutSettings
from mattebox.core.settings.explain import explain

if TYPE_CHECKING:
    from pathlib import Path

_LIMIT: Final = 1 << 20
_Loader: Final[type[Any]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_rule(path: Path, name: str) -> CutSettings:
    """How the rule called `name` cuts; where the file has one rule, the name may be empty.

    A rule without a name is rule-1, rule-2, ... by its place; FOLDER/NAME tells equal names apart.
    Raises SettingsError.
    """
    config = _read(path)
    rules = _rules(path, config)
    found = [cut for names, cut in rules if not name or name in names]
    if len(found) != 1:
        known = ", ".join(names[0] for names, _ in rules)
        wanted = f"one rule called {name!r}" if name else "a single rule; name one"
        raise SettingsError(f"{path} does not have {wanted}. Its rules: {known}.")
    merged = {**_part(config.get("defaults"), "cut"), **found[0]}
    model = _part(config, "engine").get("model")
    if model is not None:
        merged.setdefault("model", model)
    try:
        return CutSettings.model_validate(merged)
    except ValidationError as error:
        raise SettingsError(f"{path}: cut.{explain(error, CutSettings)}.") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(_LIMIT + 1)
    except OSError as error:
        raise SettingsError(f"{path}: the rules cannot be read ({error.strerror}).") from error
    if len(text) > _LIMIT:
        raise SettingsError(f"{path}: the file is too large for rules.")
    try:
        # An alias can grow a small file without bound, and no configuration needs one.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_Loader)):
            raise SettingsError(f"{path}: aliases (*name) are not supported.")
        config = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, in C where there is one
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise SettingsError(f"{path} is no YAML; run 'mattebox check' on it.") from error
    if not isinstance(config, dict):
        raise SettingsError(f"{path} holds no rules; run 'mattebox check' on it.")
    return config


def _rules(path: Path, config: dict[str, Any]) -> list[tuple[tuple[str, str], dict[str, Any]]]:
    found = []
    for folder in _list(config.get("folders")):
        for index, rule in enumerate(_list(folder.get("rules")), 1):
            name = str(rule.get("name") or f"rule-{index}")
            found.append(((name, f"{folder.get('name', '')}/{name}"), _part(rule, "cut")))
    if not found:
        raise SettingsError(f"{path} holds no rules; run 'mattebox check' on it.")
    return found


def _list(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _part(value: Any, key: str) -> dict[str, Any]:
    part = value.get(key) if isinstance(value, dict) else None
    return part if isinstance(part, dict) else {}
