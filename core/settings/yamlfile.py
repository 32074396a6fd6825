"""A YAML file as plain data, and the line and column of everything in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MAX_BYTES: Final = 1_000_000
_MAX_DEPTH: Final = 50
_SHOWN: Final = 40
_KINDS: Final = {"timestamp": "date", "int": "number", "float": "number"}
# The C loader reads hostile nesting without Python's recursion; a PyYAML built without it still works.
_Loader: Final[type[Any]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# What the parser says (libyaml's and PyYAML's own words), and what it means to who wrote the file.
_PROBLEMS: Final = {
    "escape": "in double quotes a backslash begins an escape; write / in paths, or use single quotes",
    "hexdecimal": "in double quotes a backslash begins an escape; write / in paths, or use single quotes",
    "hexadecimal": "in double quotes a backslash begins an escape; write / in paths, or use single quotes",
    "cannot start any token": "a value cannot begin with this character, and a line not with a tab; "
    "use spaces, or put the value in quotes",
    "mapping values are not allowed": "a colon too many here; put a text with a colon in quotes",
    "unexpected end of stream": "a quote is opened and never closed",
    "expected ',' or ']'": "a list in [ ] is not closed, or a comma is missing",
    "expected ',' or '}'": "a mapping in { } is not closed, or a comma is missing",
    "could not find expected ':'": "a colon is missing after a key",
}

Place = tuple[int, int]


class YamlMistakeError(Exception):
    """Text is no YAML that is accepted here: the sentence, and its line and column from 1."""

    def __init__(self, message: str, place: Place = (1, 1)) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


class YamlFile:
    """The data of a YAML file; `place` tells where a key or an item stands."""

    def __init__(self, text: str) -> None:
        """Parse `text`. Raises YamlMistakeError: no YAML, an alias, a key that stands twice."""
        try:
            for event in yaml.parse(text, Loader=_Loader):
                if isinstance(event, yaml.AliasEvent):
                    raise YamlMistakeError("aliases (*name) are not accepted here", _place(event.start_mark))
            loader = _Loader(text)
            try:
                self._root = loader.get_single_node()
                _check(self._root, 0)
                self.data = None if self._root is None else _constructed(loader, self._root)
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise YamlMistakeError(_problem(error), _place(mark) if mark else (1, 1)) from error
        except yaml.YAMLError as error:
            raise YamlMistakeError("a character stands here that YAML does not allow") from error
        except RecursionError as error:
            raise YamlMistakeError("this is nested too deeply") from error

    def place(self, location: Sequence[str | int], *, at_value: bool = False) -> Place:
        """Line and column of the nearest thing to `location` that stands in the file.

        Parts that are not in the file (a missing key, the name of a variant) are passed over. A key's
        place is that of the key, or of its value with `at_value`.
        """
        node, place = self._root, (1, 1)
        for part in location:
            step = next((pair for name, *pair in _children(node) if name == part), None)
            if step is not None:
                key, node = step
                place = _place((node if at_value else key).start_mark)
        return place


def read_yaml(path: Path) -> YamlFile:
    """The YAML of a file of at most MAX_BYTES. Raises YamlMistakeError, OSError."""
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise YamlMistakeError(f"the file is larger than {MAX_BYTES:,} bytes; that is no configuration")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise YamlMistakeError("the text is not UTF-8", (line, 1)) from error
    return YamlFile(text)


def _problem(error: yaml.MarkedYAMLError) -> str:
    """What is wrong, in words for people who do not know how YAML is parsed."""
    said = f"{error.context} {error.problem}"
    for words, meaning in _PROBLEMS.items():
        if words in said:
            return meaning
    return "this is no YAML; look at the indentation, colons and quotes here and in the line before"


def _children(node: Any) -> Iterator[tuple[str | int, Any, Any]]:
    """Name or index, the node that shows the place, and the value, of each child."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key.value, key, value
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield index, item, item


def _constructed(loader: Any, root: Any) -> Any:
    """The data of a tree of nodes. Raises YamlMistakeError where a value looks like what it cannot be."""
    try:
        return loader.construct_document(root)
    except (ValueError, OverflowError, ArithmeticError) as error:
        for node in _scalars(root):
            # One of its own for each: a loader that has met an error takes the node for a recursive one.
            fresh = type(loader)("")
            try:
                fresh.construct_object(node)
            except (ValueError, OverflowError, ArithmeticError):
                kind = _KINDS.get(node.tag.rpartition(":")[2], "value")
                shown = node.value if len(node.value) <= _SHOWN else f"{node.value[:_SHOWN]}..."
                raise YamlMistakeError(
                    f"{shown} looks like a {kind} and is none that can be read; write a text in quotes",
                    _place(node.start_mark),
                ) from error
        raise YamlMistakeError("a value here cannot be read; write texts in quotes") from error


def _scalars(node: Any) -> Iterator[Any]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    for key, _, value in _children(node):
        _ = key
        yield from _scalars(value)
    if isinstance(node, yaml.MappingNode):
        for key, _ in node.value:
            yield from _scalars(key)


def _check(node: Any, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise YamlMistakeError("this is nested too deeply", _place(node.start_mark))
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, Place] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise YamlMistakeError("a key must be a plain word", _place(key.start_mark))
            if key.value in seen:
                line = seen[key.value][0]
                raise YamlMistakeError(
                    f"{key.value}: this key stands twice (first in line {line})", _place(key.start_mark)
                )
            seen[key.value] = _place(key.start_mark)
    for _, _, value in _children(node):
        _check(value, depth + 1)


def _place(mark: Any) -> Place:
    return mark.line + 1, mark.column + 1
