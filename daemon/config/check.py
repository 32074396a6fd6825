"""Mistakes that only the whole configuration shows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, get_args

from mattebox.core.errors import UnknownNetworkError
from mattebox.core.network.lookup import check_network
from mattebox.core.report.advice import WARNINGS
from mattebox.core.settings import format_of_ending
from mattebox.core.settings.explain import nearest
from mattebox.core.settings.label import Outcome
from mattebox.daemon.config.cluster import Certificates, address_problem
from mattebox.daemon.config.conditions import PAIRS, REGISTRY
from mattebox.daemon.config.template import Template

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mattebox.core.settings.label import LabelSettings
    from mattebox.daemon.config.keys import Config, Defaults, Delivery, Folder, Review, Rule, When

Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: where it stands in the file, and the sentence."""

    location: Location
    message: str
    at_value: bool = False


def mistakes(config: Config, base: Path) -> list[Mistake]:
    """Everything that is wrong with a configuration whose single values are right."""
    return [
        *_names(config),
        *_networks(config),
        *_cluster(config),
        *_overlaps(config),
        *_outputs(config, base),
        *_labels(config),
        *_warnings(config),
        *_conditions(config),
    ]


def _names(config: Config) -> Iterator[Mistake]:
    seen: set[str] = set()
    for index, folder in enumerate(config.folders):
        if folder.name.casefold() in seen:
            yield Mistake(
                ("folders", index, "name"), f"two folders are named {folder.name}; a name is used once", True
            )
        seen.add(folder.name.casefold())
        rules: set[str] = set()
        for number in range(len(folder.rules)):
            name = folder.rule_name(number)
            if name in rules:
                yield Mistake(
                    ("folders", index, "rules", number, "name"), f"two rules are named {name}", True
                )
            rules.add(name)


def _networks(config: Config) -> Iterator[Mistake]:
    named: list[tuple[Location, str | None]] = [(("engine", "model"), config.engine.model)]
    if "model" in config.defaults.cut.model_fields_set:
        named.append((("defaults", "cut", "model"), config.defaults.cut.model))
    for place, _, rule in _rules(config):
        if "model" in rule.cut.model_fields_set:
            named.append(((*place, "cut", "model"), rule.cut.model))
    for location, name in named:
        if name is not None:
            try:
                check_network(name)
            except UnknownNetworkError as error:
                yield Mistake(location, str(error).rstrip("."), True)


def _cluster(config: Config) -> Iterator[Mistake]:
    """What only a cluster has is said where there is one, and one beyond this machine is protected."""
    engine = config.engine
    if engine.workers != "dask":
        for key in ("scheduler", "certificates", "resources"):
            if getattr(engine, key):
                yield Mistake(
                    ("engine", key), f"{key} is for a cluster alone: write workers: dask, or leave it out"
                )
        return
    if engine.scheduler is None:
        yield Mistake(("engine", "workers"), "workers: dask needs scheduler: tls://HOST:PORT", True)
        return
    certificates = None if engine.certificates is None else Certificates(engine.certificates)
    problem = address_problem(engine.scheduler, certificates)
    if problem is not None:
        yield Mistake(("engine", "scheduler"), problem, True)


def _overlaps(config: Config) -> Iterator[Mistake]:
    for index, folder in enumerate(config.folders):
        for other in config.folders[:index]:
            here, there = _real(folder.watch), _real(other.watch)
            nested = (other.recursive and _inside(here, there)) or (folder.recursive and _inside(there, here))
            if here == there or nested:
                yield Mistake(
                    ("folders", index, "watch"),
                    f"{folder.watch}: the folders {other.name} and {folder.name} watch the same place",
                    True,
                )
        for key in ("done", "failed"):
            if _real(getattr(folder, key)) == _real(folder.watch):
                yield Mistake(("folders", index, key), f"{key} is the watched folder itself", True)
        for other in config.folders:
            for key in ("done", "failed"):
                place = _real(getattr(folder, key))
                if other is not folder and _inside(place, _real(other.watch)):
                    yield Mistake(
                        ("folders", index, key), f"{key} lies in the watched folder of {other.name}", True
                    )


def _outputs(config: Config, base: Path) -> Iterator[Mistake]:
    roots = {folder.name: _real(folder.watch) for folder in config.folders}
    lists: list[tuple[Location, list[Delivery]]] = [(("defaults", "deliver"), config.defaults.deliver)]
    for place, _, rule in _rules(config):
        if not rule.deliver and not config.defaults.deliver:
            yield Mistake(place, "this rule delivers nothing: it needs deliver:, or defaults: a deliver:")
        lists.append(((*place, "deliver"), rule.deliver))
    for place, deliveries in lists:
        templates = [item.to for item in deliveries]
        for number, text in enumerate(templates):
            yield from _endings((*place, number, "to"), text, deliveries[number].format)
            output = _real(Template(text, base).root)
            for name, root in roots.items():
                if _inside(output, root):
                    yield Mistake(
                        (*place, number, "to"),
                        f"{text}: this output lies in the watched folder of {name} and would be cut again",
                        True,
                    )
            if text in templates[:number]:
                yield Mistake((*place, number, "to"), f"{text}: two outputs have the same path", True)
    reviews: list[tuple[Location, Review | None]] = [(("defaults", "review", "to"), config.defaults.review)]
    reviews += [((*place, "review", "to"), rule.review) for place, _, rule in _rules(config)]
    for location, review in reviews:
        if review is not None and any(_real(review.to) == root for root in roots.values()):
            yield Mistake(location, "the review folder is a watched folder", True)


def _labels(config: Config) -> Iterator[Mistake]:
    labels: list[tuple[Location, LabelSettings | None]] = [(("defaults", "label"), config.defaults.label)]
    labels += [((*place, "label"), rule.label) for place, _, rule in _rules(config)]
    for location, label in labels:
        if label is not None and not any(map(label.label, get_args(Outcome))):
            yield Mistake(
                location, "this label says nothing: name colours, such as unsure: red, or stars in rating:"
            )


def _warnings(config: Config) -> Iterator[Mistake]:
    """A warning that no report ever has would let every cutout through unseen."""
    parts: list[tuple[Location, Defaults | Rule]] = [(("defaults",), config.defaults)]
    parts += [(place, rule) for place, _, rule in _rules(config)]
    for place, part in parts:
        for key, settings in (("review", part.review), ("label", part.label)):
            for number, name in enumerate(settings.warnings if settings is not None else ()):
                if name not in (*WARNINGS, "*"):
                    message = f"there is no warning {name!r}{nearest(name, WARNINGS)}"
                    yield Mistake((*place, key, "warnings", number), message, True)


def _endings(location: Location, template: str, format_name: str) -> Iterator[Mistake]:
    """An ending that stands for another format than the one that is written, as `cut` refuses it too."""
    ending = PurePosixPath(template).suffix[1:]
    says = format_of_ending(ending)
    if says is not None and says != format_name and (format_name, says) != ("mask", "png"):
        yield Mistake(
            location, f"{template}: the ending says {says} and format says {format_name}; change one", True
        )


def _conditions(config: Config) -> Iterator[Mistake]:
    for place, folder, rule in _rules(config):
        yield from _when((*place, "when"), rule.when, folder)
    for index, folder in enumerate(config.folders):
        for number, rule in enumerate(folder.rules[:-1]):
            if not rule.when.model_fields_set:
                yield Mistake(
                    ("folders", index, "rules", number + 1),
                    f"this rule can never match: {folder.rule_name(number)} before it takes every photo",
                )
                break


def _when(place: Location, when: When, folder: Folder) -> Iterator[Mistake]:
    """What can never match in a `when` and in the ones inside it."""
    yield from _arguments(place, dict(when.arguments()), folder)
    if when.not_ is not None:
        if not when.not_.model_fields_set:
            yield Mistake((*place, "not"), "this can never match: an empty 'not' excludes every file")
        yield from _when((*place, "not"), when.not_, folder)
    for key in ("any", "all"):
        branches: list[When] = getattr(when, key)
        if key in when.model_fields_set and not branches:
            yield Mistake((*place, key), f"{key} is empty")
        for number, branch in enumerate(branches):
            yield from _when((*place, key, number), branch, folder)


def _arguments(place: Location, given: dict[str, Any], folder: Folder) -> Iterator[Mistake]:
    for name, argument in given.items():
        problem = REGISTRY[name].never(argument)
        if problem is not None:
            yield Mistake((*place, name), f"{name} can never match: {problem}", True)
    for pair in PAIRS:
        low, high = given.get(f"min_{pair}"), given.get(f"max_{pair}")
        if low is not None and high is not None and low > high:
            message = f"this can never match: min_{pair} is above max_{pair}"
            yield Mistake((*place, f"min_{pair}"), message, True)
    if given.get("max_age", folder.settle) < folder.settle:
        yield Mistake((*place, "max_age"), "this can never match: a file settles longer than max_age", True)
    paths = [text.replace("**/", "") for text in given.get("path", [])]
    if paths and not folder.recursive and all("/" in text for text in paths):
        yield Mistake((*place, "path"), "this can never match: the folder is not recursive", True)


def _rules(config: Config) -> Iterator[tuple[Location, Folder, Rule]]:
    for index, folder in enumerate(config.folders):
        for number, rule in enumerate(folder.rules):
            yield ("folders", index, "rules", number), folder, rule


def _real(path: Path) -> str:
    return os.path.normcase(os.path.realpath(path))


def _inside(path: str, root: str) -> bool:
    try:
        return os.path.commonpath([path, root]) == root
    except ValueError:
        return False
