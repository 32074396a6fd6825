"""Rules: the first one that matches takes the file; the others say why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from mattebox.core.settings.endings import PHOTO_ENDINGS
from mattebox.daemon.config.conditions import REGISTRY
from mattebox.daemon.config.facts import UnreadableError

if TYPE_CHECKING:
    from mattebox.daemon.config.facts import Facts
    from mattebox.daemon.config.keys import Folder, When

# A rule with one of these says itself which names it takes.
_NAMING: Final = frozenset({"extension", "name", "name_regex"})


class Verdict(NamedTuple):
    """One rule's answer: None where it takes the file, else why not, or that it needs the header."""

    rule: str
    why_not: str | None
    needs_header: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """The index of the rule that takes a file, or None, and the verdicts up to that rule."""

    index: int | None
    verdicts: tuple[Verdict, ...]

    @property
    def needs_header(self) -> int | None:
        """The first rule that would need the header that is missing, or None."""
        return next((number for number, verdict in enumerate(self.verdicts) if verdict.needs_header), None)


def choose_rule(folder: Folder, facts: Facts) -> Choice:
    """Which rule of a folder takes a file."""
    verdicts = []
    for index, rule in enumerate(folder.rules):
        name = folder.rule_name(index)
        try:
            problem = _ending(rule.when, facts) or why_not(rule.when, facts)
        except UnreadableError as error:
            verdicts.append(Verdict(name, str(error), needs_header=True))
            continue
        verdicts.append(Verdict(name, problem))
        if problem is None:
            return Choice(index, tuple(verdicts))
    return Choice(None, tuple(verdicts))


def why_not(when: When, facts: Facts) -> str | None:
    """The first condition that does not hold, in words, or None where all hold.

    Raises UnreadableError where a condition asks for a header that cannot be read.
    """
    for name, argument in when.arguments():
        problem = REGISTRY[name].why_not(argument, facts)
        if problem is not None:
            return problem
    for branch in when.all:
        problem = why_not(branch, facts)
        if problem is not None:
            return problem
    if when.any:
        problems = []
        for branch in when.any:
            problem = why_not(branch, facts)
            if problem is None:
                break
            problems.append(problem)
        else:
            return f"none of its alternatives holds ({'; '.join(problems)})"
    if when.not_ is not None and why_not(when.not_, facts) is None:
        return "it is what 'not' excludes"
    return None


def uses(when: When, name: str) -> bool:
    """Whether a condition stands anywhere in a rule's `when`."""
    inner = [*when.all, *when.any, *([when.not_] if when.not_ is not None else [])]
    return name in when.model_fields_set or any(uses(branch, name) for branch in inner)


def _names_files(when: When) -> bool:
    inner = (*when.all, *when.any)
    return bool(_NAMING & when.model_fields_set) or any(_names_files(branch) for branch in inner)


def _ending(when: When, facts: Facts) -> str | None:
    """A rule that names no files takes photos, not whatever else lies in a folder."""
    ending = facts.name.rpartition(".")[2].lower() if "." in facts.name else ""
    if ending in PHOTO_ENDINGS or _names_files(when):
        return None
    return f"its ending {'.' + ending if ending else '(none)'} is not a photo's; name it with extension:"
