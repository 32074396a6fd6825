"""simulate: the rules asked about every file that waits, without any effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mattebox.daemon.config.facts import header_facts
from mattebox.daemon.config.planning import make_plan, own_folders
from mattebox.daemon.config.rules import choose_rule
from mattebox.daemon.errors import TemplateError
from mattebox.daemon.intake.beside import Beside
from mattebox.daemon.intake.passed_over import passed_over
from mattebox.daemon.intake.scan import Scope
from mattebox.daemon.journal.journal import knows_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mattebox.daemon.config.keys import Folder
    from mattebox.daemon.config.load import LoadedConfig
    from mattebox.daemon.journal.identity import Identity


def simulate(loaded: LoadedConfig) -> Iterator[dict[str, Any]]:
    """For each file: folder, path, rule (None: left alone), not (rule -> why), outputs, note, companion.

    A folder that cannot be read gives one answer with its `problem`; one that is not there yet, and photos
    that are passed over, one with a `note` and without a path.
    """
    for folder in loaded.config.folders:
        own = own_folders(loaded, folder)
        scope = Scope(folder.watch, recursive=folder.recursive, ignore=folder.ignore, own=own)
        try:
            files = sorted(scope.files())
            beside = Beside(folder.companion_rules, wait=0.0, follows=False)
            beside.only(path for path, _ in files)
            passed = passed_over(scope)
        except FileNotFoundError:
            yield _not_there(loaded, folder)
            continue
        except OSError as error:
            yield {"folder": folder.name, "problem": f"{folder.watch}: it cannot be read ({error.strerror})."}
            continue
        for item in passed:
            yield {"folder": folder.name, "passed_over": list(item.paths), "note": item.sentence()}
        for path, found in files:
            photo = beside.goes_with(path)
            if photo is None:
                yield _answer(loaded, folder, path, found)
            else:
                yield _companion(folder, path, photo)


def _companion(folder: Folder, path: str, photo: str) -> dict[str, Any]:
    """A file that is not cut, and goes where its photo goes."""
    note = f"It goes with {photo}." if photo else "It belongs to a photo that is not here, and stays."
    return {
        "folder": folder.name,
        "path": path,
        "rule": None,
        "not": {},
        "outputs": [],
        "note": note,
        "companion": True,
    }


def _not_there(loaded: LoadedConfig, folder: Folder) -> dict[str, Any]:
    """A watched folder that was never there is made by the first run; one that was there is missed."""
    if knows_root(loaded.state, folder.watch):
        return {"folder": folder.name, "problem": f"{folder.watch}: the watched folder is gone."}
    note = f"{folder.watch} is not there yet; 'mattebox once' and 'mattebox watch' make it."
    return {"folder": folder.name, "note": note}


def _answer(loaded: LoadedConfig, folder: Folder, path: str, found: Identity) -> dict[str, Any]:
    facts = header_facts(folder.watch, path, found)
    choice = choose_rule(folder, facts)
    rule = choice.index if choice.index is not None else choice.needs_header
    outputs: list[str] = []
    note = facts.problem
    if rule is not None:
        header = facts.header
        size = (header.width, header.height) if header is not None else (0, 0)
        try:
            outputs = [str(item.target) for item in make_plan(loaded, folder, rule, path, size).outputs]
        except TemplateError as error:
            note = str(error)
    if facts.problem and rule is not None:
        outputs, note = [], f"It would go to failed: {facts.problem}"
    return {
        "folder": folder.name,
        "path": path,
        "rule": None if rule is None else folder.rule_name(rule),
        "not": {
            verdict.rule: verdict.why_not
            for number, verdict in enumerate(choice.verdicts)
            if verdict.why_not is not None and number != rule
        },
        "outputs": outputs,
        "note": note,
        "companion": False,
    }
