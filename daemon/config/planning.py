"""From a rule and a file to a Plan: defaults filled in, output paths settled."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING

from mattebox.core.settings import CutSettings, FinishSettings, Output, parse_output
from mattebox.core.settings.rule import layered, rule_cut
from mattebox.daemon.config.template import FieldValues, Template
from mattebox.daemon.errors import TemplateError
from mattebox.daemon.journal.learnt_sets import set_folder, with_learnt_set
from mattebox.daemon.journal.plan import WORK_FOLDER, Plan, PlannedOutput, ReviewPlan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mattebox.core.settings import ReadLimits
    from mattebox.daemon.config.keys import Config, Delivery, Folder, Rule
    from mattebox.daemon.config.load import LoadedConfig


def cut_settings(config: Config, rule: Rule) -> CutSettings:
    """The rule's own settings over those of `defaults`, over the engine's network."""
    return rule_cut(rule.cut, config.defaults.cut, config.engine.model)


def generous_limits(config: Config, folder: Folder) -> ReadLimits:
    """The most generous limits of a folder's rules, while it is not known which rule takes a file."""
    cuts = [cut_settings(config, rule) for rule in folder.rules]
    return max((cut.limits for cut in cuts), key=lambda limits: limits.megapixels)


def finish_settings(config: Config, rule: Rule) -> FinishSettings:
    """The rule's own settings over those of `defaults`."""
    return layered(rule.finish, config.defaults.finish)


def deliveries(config: Config, rule: Rule) -> list[Delivery]:
    """The rule's outputs, or those of `defaults` where it has none."""
    return rule.deliver or config.defaults.deliver


def all_cuts(config: Config) -> Iterator[CutSettings]:
    """The cut settings of every rule."""
    for folder in config.folders:
        for rule in folder.rules:
            yield cut_settings(config, rule)


def review_folders(config: Config) -> set[Path]:
    """Every review folder that a configuration names."""
    rules = [rule for folder in config.folders for rule in folder.rules]
    reviews = [config.defaults.review, *(rule.review for rule in rules)]
    return {review.to for review in reviews if review is not None}


def worker_folders(loaded: LoadedConfig) -> dict[Path, bool]:
    """The folders that whoever cuts must see, and whether it must write there."""
    found: dict[Path, bool] = {}
    for folder in loaded.config.folders:
        found.setdefault(folder.watch, False)
        for rule in folder.rules:
            for item in deliveries(loaded.config, rule):
                found[Template(item.to, loaded.base).root] = True
    return {**found, **dict.fromkeys(review_folders(loaded.config), True)}


def own_folders(loaded: LoadedConfig, folder: Folder) -> list[Path]:
    """The folders of ours that may lie below a watched one: never its input."""
    reviews = sorted(review_folders(loaded.config))
    return [folder.done, folder.failed, loaded.state, folder.watch / WORK_FOLDER, *reviews]


def make_plan(loaded: LoadedConfig, folder: Folder, index: int, path: str, size: tuple[int, int]) -> Plan:
    """What becomes of the file at `path` (below the watched folder) by the rule `index`.

    size: the photo's width and height, (0, 0) where they are unknown. Raises TemplateError where an
    output would leave its folder or fall into a watched one.
    """
    config, rule = loaded.config, folder.rules[index]
    tree, _, name = path.rpartition("/")
    names = FieldValues(tree, name, folder.rule_name(index), folder.name, datetime.now().astimezone(), *size)
    outputs = tuple(
        PlannedOutput(_output(item), _target(item.to, loaded, names)) for item in deliveries(config, rule)
    )
    review = rule.review or config.defaults.review
    cut, learns = cut_settings(config, rule), None
    # A cluster's workers see no state folder: there each photo tells its own backdrop.
    if cut.backdrop == "learn" and config.engine.workers != "dask":
        learns = set_folder(loaded.state, folder.name, folder.rule_name(index))
        cut = with_learnt_set(cut, learns, size)
    return Plan(
        rule=folder.rule_name(index),
        watch=folder.watch,
        tree=tree,
        name=name,
        done=folder.done,
        failed=folder.failed,
        keep=folder.originals == "keep",
        attempts=folder.attempts,
        timeout=config.engine.timeout,
        cut=cut,
        finish=finish_settings(config, rule),
        outputs=outputs,
        review=None if review is None else ReviewPlan(review.below, tuple(review.warnings), review.to),
        deduplicate=folder.deduplicate,
        label=rule.label or config.defaults.label,
        learns=learns,
    )


def _target(text: str, loaded: LoadedConfig, names: FieldValues) -> Path:
    target = Template(text, loaded.base).path(names)
    place = os.path.realpath(target.parent)
    for folder in loaded.config.folders:
        root = os.path.realpath(folder.watch)
        if os.path.commonpath([place, root]) == root:
            raise TemplateError(f"{target}: this output falls into the watched folder {folder.name}.")
    return target


def _output(item: Delivery) -> Output:
    return parse_output({**item.model_dump(exclude={"to"}, exclude_unset=True), "format": item.format})
