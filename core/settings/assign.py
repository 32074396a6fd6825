"""Settings by dotted path: cut.limits.side, output.names.subject, finish.shadow.angle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic import BaseModel, ValidationError

from mattebox.core.errors import SettingsError
from mattebox.core.settings.cut import CutSettings
from mattebox.core.settings.explain import as_sentence, explain, models_at
from mattebox.core.settings.finish import FinishSettings
from mattebox.core.settings.outputs import Output, parse_output
from mattebox.core.settings.presets import load_preset

if TYPE_CHECKING:
    from collections.abc import Mapping

# What the first word of a path names: one model, or one a format.
GROUPS: Final[dict[str, tuple[type[BaseModel], ...]]] = {
    "cut": (CutSettings,),
    "finish": (FinishSettings,),
    "output": get_args(get_args(Output)[0]),
}


def nested(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The data of each group from values by dotted path of any depth; a later path wins.

    A short form (finish.shadow: drop) and a path below it (finish.shadow.angle: 30) make one value.
    Raises SettingsError where a path does not begin with a group's name.
    """
    groups: dict[str, dict[str, Any]] = {name: {} for name in GROUPS}
    preset = values.get("finish.preset")
    for path, value in values.items():
        group, *parts = path.split(".")
        if group not in groups or not all(parts) or not parts:
            *others, last = GROUPS
            raise SettingsError(f"{path}: a setting begins with {', '.join(others)} or {last}, and a dot.")
        place = groups[group]
        for depth, part in enumerate(parts[:-1], start=1):
            below = place.get(part)
            if not isinstance(below, dict):
                if below is None and group == "finish" and depth == 1 and isinstance(preset, str):
                    below = _of_preset(preset, part)
                below = {} if below is None else _long_form(group, parts[:depth], below)
                place[part] = below
            place = below
        place[parts[-1]] = value
    return groups


def cut_settings(data: dict[str, Any]) -> CutSettings:
    """How to cut, from a group's data. Raises SettingsError, whose sentence names the path."""
    try:
        return CutSettings.model_validate(data)
    except ValidationError as error:
        raise SettingsError(as_sentence(explain(error, CutSettings, "cut"))) from error


def finish_settings(data: dict[str, Any]) -> FinishSettings:
    """How to finish, from a group's data. Raises SettingsError, whose sentence names the path."""
    try:
        return FinishSettings.model_validate(data)
    except ValidationError as error:
        raise SettingsError(as_sentence(explain(error, FinishSettings, "finish"))) from error


def output_settings(name: str, data: dict[str, Any]) -> Output:
    """How to write the format `name`, from a group's data. Raises SettingsError, as above."""
    try:
        return parse_output({"format": name, **data})
    except ValidationError as error:
        model = type(parse_output({"format": name}))
        raise SettingsError(as_sentence(explain(error, model, "output"))) from error


def resolves(path: str) -> bool:
    """Whether a dotted path names a setting that there is, a group or a part of one included."""
    group, *parts = path.split(".")
    for model in GROUPS.get(group, ()):
        found = models_at(model, parts[:-1])
        if not parts or any(parts[-1] in one.model_fields for one in found):
            return True
    return False


def _of_preset(name: str, part: str) -> Any:
    """What a preset says about one setting; a background is never both the preset's and another's."""
    if part == "background":
        return None
    try:
        return load_preset(name).get(part)
    except ValueError:
        return None  # the settings tell it


def _long_form(group: str, parts: list[str], short: Any) -> dict[str, Any]:
    """A setting's short form as the mapping that it stands for; {} where it stands for none."""
    data: Any = short
    for part in reversed(parts):
        data = {part: data}
    for model in GROUPS[group]:
        try:
            value: Any = model.model_validate(data)
        except ValidationError:
            continue
        for part in parts:
            value = getattr(value, part, None)
        if isinstance(value, BaseModel):
            return value.model_dump(exclude_unset=True)
    return {}
