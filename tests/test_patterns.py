"""Every regular expression takes time in proportion to the text: proved from its syntax tree.

Texts come from strangers: XMP packets, names of files and layers, YAML. An expression that can read one
byte in two ways is quadratic or worse on a text that somebody chose, or that a program happened to write.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("core", "daemon", "cli", "gimp_plugin", "models", "web")
FUNCTIONS = {"compile", "match", "fullmatch", "search", "sub", "subn", "findall", "finditer", "split"}
ANCHORED = {"match", "fullmatch"}
_C = _constants
REPEATS = {_C.MAX_REPEAT, _C.MIN_REPEAT, _C.POSSESSIVE_REPEAT}
ATOMS = {_C.LITERAL, _C.NOT_LITERAL, _C.IN, _C.ANY, _C.RANGE, _C.CATEGORY}
WIDE = 64
Chars = frozenset[str]
Items = Sequence[Any]


def chars(item: Any, state: Any) -> Chars:
    """Which of the first 256 characters an item of one character takes."""
    one = _compiler.compile(_parser.SubPattern(state, [item]), 0)
    return frozenset(c for c in map(chr, range(256)) if one.fullmatch(c))


def inner(item: Any) -> list[Items]:
    """The sequences within an item."""
    code, value = item
    if code in REPEATS:
        return [value[2]]
    if code is _C.SUBPATTERN:
        return [value[3]]
    if code is _C.BRANCH:
        return list(value[1])
    if code in (_C.ASSERT, _C.ASSERT_NOT):
        return [value[1]]
    return [value] if code is _C.ATOMIC_GROUP else []


def is_wide(item: Any) -> bool:
    """Whether an item repeats without a bound that matters."""
    return item[0] in REPEATS and item[1][1] >= WIDE


def all_items(items: Items) -> Iterator[Any]:
    """Items and those within them."""
    for item in items:
        yield item
        for part in inner(item):
            yield from all_items(part)


def reach(items: Items, state: Any) -> Chars:
    """All characters that a sequence can take."""
    taken = [chars(item, state) for item in all_items(items) if item[0] in ATOMS]
    return frozenset().union(*taken)


def first(items: Items, state: Any) -> tuple[Chars, bool]:
    """The characters that a sequence can begin with, and whether it can be empty."""
    found: Chars = frozenset()
    for item in items:
        code = item[0]
        if code in ATOMS:
            return found | chars(item, state), False
        if code in (_C.AT, _C.ASSERT, _C.ASSERT_NOT):
            continue
        parts = [first(part, state) for part in inner(item)]
        found = found.union(*(part[0] for part in parts))
        may_be_empty = any(part[1] for part in parts) or (code in REPEATS and item[1][0] == 0)
        if not may_be_empty:
            return found, False
    return found, True


def needs(items: Items, state: Any) -> list[Any]:
    """What a text must hold: sets of characters, and tuples of such lists, of which it must hold one."""
    found: list[Any] = []
    for item in items:
        code = item[0]
        if code in ATOMS:
            found.append(chars(item, state))
        elif code in (_C.SUBPATTERN, _C.ATOMIC_GROUP) or (code in REPEATS and item[1][0] > 0):
            found.extend(needs(inner(item)[0], state))
        elif code is _C.BRANCH:
            found.append(tuple(needs(part, state) for part in inner(item)))
    return found


def is_apart(taken: Chars, before: list[Any]) -> bool:
    """Whether what must stand before a repeat holds a character that the repeat does not take."""
    return any(
        all(is_apart(taken, part) for part in needed) if isinstance(needed, tuple) else not taken & needed
        for needed in before
    )


def can_fail(items: Items, state: Any) -> bool:
    """Whether a text can lack what a sequence asks for."""
    asks = any(item[0] in (_C.AT, _C.ASSERT, _C.ASSERT_NOT) for item in all_items(items))
    return asks or not first(items, state)[1]


def faults(items: Items, rest: Items, before: list[Any] | None, state: Any) -> Iterator[str]:
    """What in a sequence can take more than linear time.

    `rest` follows it. `before` are what must stand before it (needs()), and None where the expression
    is tried at one place only.
    """
    for number, item in enumerate(items):
        code = item[0]
        after = [*items[number + 1 :], *rest]
        if code is _C.GROUPREF:
            yield "a reference back to a group"
        elif is_wide(item):
            yield from repeat_faults(item, after, before, state)
        else:
            for part in inner(item):
                yield from faults(part, after, None if before is None else list(before), state)
        if before is not None:
            before.extend(needs([item], state))


def repeat_faults(repeat: Any, after: Items, before: list[Any] | None, state: Any) -> Iterator[str]:
    """What in a repeat without a bound, with what follows and what must stand before it, is not linear."""
    body = repeat[1][2]
    taken = reach(body, state)
    if any(is_wide(part) for part in all_items(body)):
        yield "a repeat within a repeat"
    again = before is not None and can_fail(after, state) and not is_apart(taken, before)
    if again:
        yield "a repeat in whose middle a search can begin anew"
    # Tried at each of its ends, what follows must be short: up to where it can fail no more.
    wide = next((number for number, item in enumerate(after) if any(map(is_wide, all_items([item])))), None)
    is_short = not again and (wide is None or not can_fail(after[wide:], state))
    overlaps = repeat[0] is not _C.POSSESSIVE_REPEAT and bool(taken & first(after, state)[0])
    if overlaps and not is_short:
        yield "a repeat that takes what can follow it"


def judge(pattern: str | bytes, flags: int = 0, *, anchored: bool = False) -> list[str]:
    """What can take more than linear time in an expression, searched for or tried at one place."""
    tree = _parser.parse(pattern, flags)
    begins = bool(tree) and tree[0] == (_C.AT, _C.AT_BEGINNING)
    lines = bool(tree.state.flags & re.MULTILINE)
    before: list[Any] | None = [frozenset("\n")] if begins and lines else [] if not begins else None
    return list(faults(list(tree), [], None if anchored else before, tree.state))


def text_of(node: ast.expr) -> str | bytes | None:
    """An expression's text; a part that is put in counts as one letter, since only escaped text is."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(p.value) if isinstance(p, ast.Constant) else "x" for p in node.values)
    return "x" if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.escape" else None


def uses(tree: ast.Module, name: str) -> set[str]:
    """The methods that a module calls of one of its names."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    }


def expressions() -> Iterator[Any]:
    """Every expression in the code: its place, text, flags and whether it is tried at one place only."""
    for path in sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {
            id(node.value): target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "re"):
                continue
            if node.func.attr not in FUNCTIONS:
                continue
            how = uses(tree, names.get(id(node), "")) or {node.func.attr}
            flags = sum(
                getattr(re, part.attr).value
                for argument in [*node.args[1:], *(word.value for word in node.keywords)]
                for part in ast.walk(argument)
                if isinstance(part, ast.Attribute) and part.attr.isupper()
            )
            place = f"{path.relative_to(ROOT).as_posix()}:{node.lineno}"
            yield pytest.param(place, text_of(node.args[0]), flags, how <= ANCHORED, id=place)


@pytest.mark.parametrize(("place", "text", "flags", "anchored"), list(expressions()))
def test_an_expression_is_linear(place: str, text: str | bytes | None, flags: int, anchored: bool) -> None:
    """No byte of a text can be read in two ways by an expression of ours."""
    assert text is not None, f"{place}: the expression is not known before the run"
    assert judge(text, flags, anchored=anchored) == []


@pytest.mark.parametrize(
    "text",
    [
        rb"""\s*(?:exif:GPS\w+\s*=\s*(?:"[^"]*"|'[^']*')|<(exif:GPS\w+)(?:\s[^>]*)?(?:/>|>.*?</\1\s*>))""",
        r"<(/?)(exif:GPS\w+)([^<>]*)>",
        r"\s*=",
        r"a[^c]*c",
        r"(a+)+b",
        r"(?:a|a*)*b",
        r"x\d+\d*y",
        r"x.*y",
        r"-\s*(%|px)?\s*-",
        r"(?m)^[^;]*: x",
        r"(?:a:\w+|b)\w*=",
    ],
)
def test_the_proof_finds_what_is_not_linear(text: str | bytes) -> None:
    """Expressions that are known to be quadratic or worse are found."""
    assert judge(text)


@pytest.mark.parametrize(
    "text",
    [
        r"<\w+>",
        r"a\s*=\s*b",
        rb"\xff[^\x00]",
        r"#([0-9a-f]{3})",
        r"x=\s*+\s*y",
        r"(?:a:\w+|bc:)\s*=",
        r"(?m)^.*: x.*\n?",
    ],
)
def test_the_proof_lets_pass_what_is_linear(text: str | bytes) -> None:
    """Expressions whose every repeat ends at one place only are not held up."""
    assert not judge(text)
