"""Templates of output paths: {tree}, {stem}, {ext}, {name}, {rule}, {date}, {width}, {height}."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from string import Formatter
from typing import TYPE_CHECKING, Final

from mattebox.core.names import LONGEST, fit, split
from mattebox.core.settings.explain import nearest
from mattebox.daemon.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FIELDS: Final = ("tree", "stem", "ext", "name", "rule", "folder", "date", "width", "height")
# What is left for the number of a name that is taken.
_ROOM: Final = 20
# What Windows refuses in a name, and what ends a C string; a slash never survives in a field.
_UNSAFE: Final = re.compile(r"[/\\\x00]") if os.name == "posix" else re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_DATE: Final = re.compile(r"[A-Za-z0-9%_.\- ]*")


@dataclass(frozen=True, slots=True)
class FieldValues:
    """The values of a template's fields for one photo; tree is "" at the watched folder itself."""

    tree: str
    name: str
    rule: str
    folder: str
    date: datetime
    width: int
    height: int

    def values(self) -> Mapping[str, str | int | datetime]:
        """All fields by name."""
        stem, dot, ext = self.name.rpartition(".")
        if not stem:
            stem, dot, ext = self.name, "", ""
        return {
            "stem": stem,
            "ext": ext if dot else "",
            "name": self.name,
            "rule": self.rule,
            "folder": self.folder,
            "date": self.date,
            "width": self.width,
            "height": self.height,
        }


class Template:
    """A path with fields; what a field holds can never leave the folder that the field stands in."""

    def __init__(self, text: str, base: Path) -> None:
        """`base` is what a relative template is relative to. Raises TemplateError."""
        check_template(text)
        self.text = text
        whole = PurePosixPath(os.path.expanduser(text))  # noqa: PTH111 - the home folder alone, fields stay
        fixed = []
        parts = list(whole.parts)
        while parts and "{" not in parts[0] and len(parts) > 1:
            fixed.append(parts.pop(0))
        # What stands before the first field is the user's own path and may go up; nothing after may.
        self.root = Path(os.path.normpath(base.joinpath(*fixed)))
        self._parts = tuple(parts)

    def path(self, names: FieldValues) -> Path:
        """The output's path for one photo. Raises TemplateError where it would leave the root."""
        values = names.values()
        parts: list[str] = []
        for part in self._parts:
            if part == "{tree}":
                parts.extend(_safe(name) for name in PurePosixPath(names.tree).parts)
                continue
            tree = "-".join(PurePosixPath(names.tree).parts)
            parts.append(_safe(_Plain().vformat(part, (), {**values, "tree": tree})))
        target = self.root.joinpath(*parts)
        inside = os.path.realpath(target.parent)
        root = os.path.realpath(self.root)
        if os.path.commonpath([inside, root]) != root:
            raise TemplateError(f"{target}: a link in this path leads out of {self.root}.")
        return target


class _Plain(Formatter):
    """str.format without attributes, indexes and conversions."""

    def get_field(self, field_name: str, args: object, kwargs: Mapping[str, object]) -> tuple[object, str]:
        _ = args
        return kwargs[field_name], field_name

    def format_field(self, value: object, format_spec: str) -> str:
        if format_spec or hasattr(value, "strftime"):
            return format(value, format_spec or "%Y-%m-%d")
        # A value is text of a file name: braces in it are no fields, since it is never parsed again.
        return str(value)


def check_template(text: str) -> str:
    """The template itself. Raises TemplateError: an unknown field, an odd brace, a path that goes up."""
    if not text.strip():
        raise TemplateError("a template is a path such as ./out/{tree}/{stem}.png")
    if "\0" in text:
        raise TemplateError("a path cannot hold a NUL character")
    if text.endswith("/"):
        raise TemplateError(f"{text}: this names a folder; end it with a name such as {{stem}}.png")
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as error:
        raise TemplateError(
            f"{text}: a brace stands alone; write {{{{ or }}}} for a brace in a name"
        ) from error
    seen_field = False
    for literal, field, spec, conversion in parsed:
        if seen_field and ".." in PurePosixPath(literal).parts:
            raise TemplateError(f"{text}: '..' may not follow a field")
        if field is not None:
            seen_field = True
            _check_field(field, spec or "", conversion)
    return text


def _check_field(field: str, spec: str, conversion: str | None) -> None:
    if field not in FIELDS:
        shown = "{" + field + "}"
        raise TemplateError(f"{shown} is no field of a template{nearest(field, FIELDS)}")
    if conversion or (spec and field not in ("date", "width", "height")):
        raise TemplateError(f"{{{field}}} takes no format")
    if field == "date" and not _DATE.fullmatch(spec):
        raise TemplateError(f"{{date:{spec}}}: a date's format may hold letters, digits, %, _, . and -")
    if field in ("width", "height") and spec and not re.fullmatch(r"0?\d{1,2}d?", spec):
        raise TemplateError(f"{{{field}:{spec}}}: write the digits wanted, such as {{{field}:05}}")


def _safe(component: str) -> str:
    """One path component out of any text: no separators, never '.', '..' or empty, not too long."""
    text = _UNSAFE.sub("_", component)
    if text in ("", ".", ".."):
        text = "_" * max(1, len(text))
    stem, ending = split(text)
    return fit(stem, ending, most=LONGEST - _ROOM)
