"""`POST /v1/cut`: a rule's own settings as JSON (cut, finish, deliver), without a path of any kind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mattebox.core.errors import SettingsError
from mattebox.core.settings import FORMATS, format_of_ending
from mattebox.core.settings.assign import cut_settings, finish_settings, output_settings
from mattebox.core.settings.presets import preset_names
from mattebox.web.service.errors import RequestError
from mattebox.web.service.made import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from mattebox.core.settings import CutSettings, FinishSettings, Output, ReadLimits

# Which names hold files, and what they are called here.
FILES: Final = {
    "photo": "photo",
    "photo_b64": "photo-b64",
    "background": "background",
    "strokes": "strokes",
    "from_matte": "from-matte",
}
# The settings whose file a client sends as a part.
_PARTS: Final = {
    "finish.background.image": "background",
    "cut.prompts.strokes": "strokes",
    "cut.prompts.from_matte": "from_matte",
}
FIELDS: Final = ("settings", "photo_url")
_KEYS: Final = ("cut", "finish", "deliver")


@dataclass(frozen=True, slots=True)
class RuleWish:
    """A rule's settings for one photo."""

    cut: CutSettings
    finish: FinishSettings
    outputs: tuple[Output, ...]

    def plan(self, photo: Path) -> Plan:  # noqa: ARG002 - the photo's size changes nothing
        """The settings as they are."""
        return Plan(self.cut, self.finish, self.outputs)


def rule_wish(
    fields: Mapping[str, str], files: Mapping[str, Path], *, model: str, limits: ReadLimits
) -> RuleWish:
    """The wish in a client's `settings`; without them a PNG by the product's defaults.

    model: the server's, where the client names none. limits: at most these hold. Raises RequestError.
    """
    unknown = sorted(set(fields) - set(FIELDS))
    if unknown:
        raise _wrong(
            f"{unknown[0][:40]!r}: this field is not known; the fields are {', '.join((*FIELDS, *FILES))}."
        )
    data = _settings(fields.get("settings", "{}"))
    cut_data, finish_data = _mapping(data, "cut"), _mapping(data, "finish")
    preset = finish_data.get("preset")
    if preset is not None and preset not in preset_names():
        raise _wrong(f"finish.preset: one of {', '.join(preset_names())}.")
    try:
        cut = cut_settings({"model": model, **cut_data})
        finish = finish_settings(finish_data)
        outputs = _outputs(data.get("deliver", ["png"]))
    except SettingsError as error:
        raise _wrong(str(error)) from error
    for group, settings in (("cut", cut), ("finish", finish)):
        place = _path_in(settings, group)
        if place is not None:
            part = _PARTS.get(place)
            sent = f"; send it as the part {part}" if part else ""
            raise _wrong(f"{place}: a file of this server cannot be named{sent}.")
    if cut.accept_licence:
        raise _wrong("cut.accept_licence: whoever runs this server accepts licences, not who asks it.")
    cut = cut.model_copy(update={"limits": _lower(cut.limits, limits)})
    prompts = {name: files[name] for name in ("strokes", "from_matte") if name in files}
    if prompts:
        cut = cut.model_copy(update={"prompts": cut.prompts.model_copy(update=prompts)})
    if "background" in files:
        image = type(finish.background)(image=files["background"])
        finish = finish.model_copy(update={"background": image})
    if any(output.format == "jpeg" for output in outputs) and finish.background == type(finish.background)():
        raise _wrong(
            "A jpeg has no transparency: give it something behind the subject with finish.background."
        )
    return RuleWish(cut, finish, outputs)


def _settings(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong("settings: this is no JSON.") from error
    if not isinstance(data, dict) or set(data) - set(_KEYS):
        raise _wrong(f"settings: write an object with the keys {', '.join(_KEYS)}.")
    return data


def _mapping(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key) or {}
    if not isinstance(value, dict):
        raise _wrong(f"{key}: write keys with values.")
    return value


def _outputs(value: Any) -> tuple[Output, ...]:
    items = value if isinstance(value, list) else [value]
    if not 0 < len(items) <= len(FORMATS):
        raise _wrong(f"In deliver there must be one to {len(FORMATS)} outputs.")
    outputs = []
    for item in items:
        options = {"format": item} if isinstance(item, str) else item
        if not isinstance(options, dict):
            raise _wrong("In deliver there must be formats such as png, or objects with the key format.")
        name = options.get("format")
        name = (format_of_ending(name) or name) if isinstance(name, str) else name
        if name not in FORMATS:
            raise _wrong(f"In deliver the formats are {', '.join(FORMATS)}.")
        outputs.append(
            output_settings(name, {key: value for key, value in options.items() if key != "format"})
        )
    return tuple(outputs)


def _path_in(settings: BaseModel, place: str) -> str | None:
    """Where in the settings a path is, if one is: whatever settings there will be."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        found = None
        if isinstance(value, Path):
            found = f"{place}.{name}"
        elif hasattr(type(value), "model_fields"):
            found = _path_in(value, f"{place}.{name}")
        if found is not None:
            return found
    return None


def _lower(asked: ReadLimits, most: ReadLimits) -> ReadLimits:
    return type(most)(
        **{name: min(getattr(asked, name), getattr(most, name)) for name in type(most).model_fields}
    )


def _wrong(sentence: str) -> RequestError:
    return RequestError(400, "invalid_settings", sentence)
