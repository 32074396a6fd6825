"""Cases for kills: what is dropped, what happens, and what must be there in the end whatever was killed."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest import mock

from tests.daemon.hot_folders import CONFIG, HotFolders, killed_at

from mattebox.core.photo.xmp_label import merged, new_packet
from mattebox.core.settings.label import Label
from mattebox.daemon.delivery.deliver import Delivery
from mattebox.daemon.journal import steps
from mattebox.daemon.journal.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

GOOD = {"a.jpg": b"one", "sub/a.jpg": b"two"}
BAD = {"b.jpg": b"bad", "sub/c.jpg": b"poison"}
DOUBT = {"good.jpg": b"doubt 1", "poor.jpg": b"doubt 2"}
# A photo with two sidecars, and a RAW with its JPEG and a sidecar of either.
TOGETHER = {"a.jpg": b"one", "a.xmp": b"stars", "a.jpg.pp3": b"curves"}
PAIR = {"b.nef": b"two", "b.jpg": b"bad", "b.xmp": b"crop", "b.jpg.xmp": b"tag"}
TRAVELLING = TOGETHER | PAIR
STRANDED = {"a.jpg": b"doubt 1", "sub/a.jpg": b"doubt 2"}
REVIEW = CONFIG.replace("        deliver", "        review: {below: 0.5, to: ./review}\n        deliver")
PAIRS = CONFIG.replace("    settle", "    pairs: raw\n    settle")
LABELS = CONFIG.replace(
    "        deliver", "        label: {sure: green, failed: red, sidecar: name}\n        deliver"
)
GREEN, RED = Label("sure", "green", None), Label("failed", "red", None)
# A sidecar of a person's.
XMP = new_packet(Label("unsure", None, 3)).replace(b"mattebox", b"person")
# A hook that takes its time, so that kills come before it has heard of everything.
NOTIFY = """\
notify:
  command: [sh, -c, "sleep 0.02; mkdir -p ROOT/told; cat > ROOT/told/$$.part; cd ROOT/told; mv $$.part $$"]
"""


def nothing(_: HotFolders) -> None:
    """Nobody does anything before the next run."""


def decide(hot_folders: HotFolders) -> None:
    """A person approves what has good in its name and rejects the rest."""
    for psd in (hot_folders.root / "review").glob("*.psd"):
        folder = hot_folders.root / "review" / ("approved" if psd.name.startswith("good") else "rejected")
        folder.mkdir(exist_ok=True)
        psd.rename(folder / psd.name)


def retouch(hot_folders: HotFolders) -> None:
    """A person saves a PSD of their own beside ours, and drops both."""
    folder = hot_folders.root / "review" / "approved"
    folder.mkdir()
    for psd in (hot_folders.root / "review").glob("*.psd"):
        (folder / psd.name.replace(".psd", ".mine.psd")).write_bytes(b"layers")
        psd.rename(folder / psd.name)


def write_on(hot_folders: HotFolders) -> None:
    """A program that had a photo open all the time writes the rest of it, wherever it was moved."""
    with (hot_folders.root / "done" / "a.jpg").open("ab") as file:
        file.write(b" and the rest")


def spoil(hot_folders: HotFolders) -> None:
    """A person approves everything with files that hold no mask."""
    folder = hot_folders.root / "review" / "approved"
    folder.mkdir()
    for psd in (hot_folders.root / "review").glob("*.psd"):
        psd.unlink()
        (folder / psd.name).write_bytes(b"no mask")


def mend(hot_folders: HotFolders) -> None:
    """The person drops files with masks instead."""
    for psd in (hot_folders.root / "review" / "approved").glob("*.psd"):
        psd.write_bytes(b"a mask")


def at_the_table(hot_folders: HotFolders) -> None:
    """At the light table one is accepted with a person's matte, one rejected, one asked for again."""
    matte = hot_folders.root / "state" / "mattes" / "good.png"
    matte.parent.mkdir()
    matte.write_bytes(b"a matte")
    journal = Journal(hot_folders.root / "state", lock=False)
    jobs = {job.plan.name: job.id for job in journal.jobs("review")}
    with journal.transaction():
        journal.decisions.decide([jobs["good.jpg"]], "accept", matte=matte)
        journal.decisions.decide([jobs["poor.jpg"]], "reject")
        journal.decisions.decide([jobs["unsure.jpg"]], "again", settings={"quality": "best"})
        journal.decisions.send()
    journal.close()


def take_back(hot_folders: HotFolders) -> None:
    """At the light table what was delivered is taken back into review."""
    journal = Journal(hot_folders.root / "state", lock=False)
    with journal.transaction():
        for job in journal.jobs("done"):
            journal.decisions.decide([job.id], "back", settings={"quality": "best"})
    journal.close()


def late_sidecar(hot_folders: HotFolders) -> None:
    """A sidecar comes when its photo is in done/ already."""
    hot_folders.drop({"a.xmp": b"late"})


def lose_state(hot_folders: HotFolders) -> None:
    """Somebody deletes the state folder, and the reviews, while originals are in work."""
    shutil.rmtree(hot_folders.root / "state")
    shutil.rmtree(hot_folders.root / "review")


def retry(hot_folders: HotFolders) -> None:
    """What `mattebox retry` does to every failed photo."""
    journal = Journal(hot_folders.root / "state", lock=False)
    for job in journal.jobs("failed"):
        Delivery(journal).return_original(job)
    journal.close()


Stage = tuple["Callable[[HotFolders], None]", "Callable[[HotFolders], object]"]
RUN: Stage = (nothing, HotFolders.once)


@dataclass(frozen=True)
class Case:
    """A configuration, what is dropped, the stages (what a person does, what runs), and the end.

    expect: the files in the end with their contents; None: a reason file, whatever it says.
    link_error: what this machine's hard links fail with. told: events that a hook has written down.
    """

    text: str
    tree: dict[str, bytes]
    expect: dict[str, bytes | None]
    stages: tuple[Stage, ...] = (RUN,)
    link_error: int | None = None
    notified: tuple[tuple[str, str], ...] = ()


def outputs(tree: dict[str, bytes]) -> dict[str, bytes | None]:
    """One PSD and one PNG for each input."""
    found: dict[str, bytes | None] = {}
    for name, data in tree.items():
        stem = name.removesuffix(".jpg")
        found |= {f"out/{stem}.psd": b"psd:" + data, f"out/{stem}.png": b"png:" + data}
    return found


def below(folder: str, tree: dict[str, bytes]) -> dict[str, bytes | None]:
    """The originals in a folder."""
    return {f"{folder}/{name}": data for name, data in tree.items()}


def failures(tree: dict[str, bytes]) -> dict[str, bytes | None]:
    """The originals in failed/, each with its reason."""
    return below("failed", tree) | {f"failed/{name}.reason.json": None for name in tree}


DONE = outputs(GOOD) | below("done", GOOD)
CASES = {
    "done": Case(CONFIG, GOOD, DONE),
    "failed": Case(CONFIG, BAD, failures(BAD)),
    "keep": Case(
        CONFIG.replace("    settle", "    originals: keep\n    settle"),
        GOOD,
        outputs(GOOD) | below("in", GOOD),
    ),
    "duplicate": Case(
        CONFIG.replace("    settle", "    deduplicate: true\n    settle"),
        {"a.jpg": b"same", "b.jpg": b"same"},
        below("done", {"a.jpg": b"same", "b.jpg": b"same"}) | {"psd": b"psd:same", "png": b"png:same"},
    ),
    "review": Case(
        REVIEW,
        DOUBT,
        outputs({"good.jpg": DOUBT["good.jpg"]})
        | below("done", {"good.jpg": DOUBT["good.jpg"]})
        | failures({"poor.jpg": DOUBT["poor.jpg"]}),
        (RUN, (decide, HotFolders.once)),
    ),
    "retouched": Case(
        REVIEW,
        {"a.jpg": b"doubt"},
        outputs({"a.jpg": b"doubt"}) | {"done/a.jpg": b"doubt", "done/a.mine.psd": b"layers"},
        (RUN, (retouch, HotFolders.once)),
    ),
    "table": Case(
        REVIEW,
        DOUBT | {"unsure.jpg": b"doubt 3"},
        outputs({"good.jpg": DOUBT["good.jpg"]})
        | below("done", {"good.jpg": DOUBT["good.jpg"], "good.png": b"a matte"})
        | failures({"poor.jpg": DOUBT["poor.jpg"]})
        | {
            "review/unsure.psd": b"psd:doubt 3",
            "review/unsure.preview.png": b"png:doubt 3",
            "in/.mattebox/unsure.jpg": b"doubt 3",
        },
        (RUN, (at_the_table, HotFolders.once)),
    ),
    "taken-back": Case(
        REVIEW,
        {"good.jpg": b"one", "good.xmp": b"stars"},
        outputs({"good.jpg": b"one"}) | below("done", {"good.jpg": b"one", "good.xmp": b"stars"}),
        (RUN, (take_back, HotFolders.once), (decide, HotFolders.once)),
    ),
    "late": Case(
        CONFIG,
        {"a.jpg": b"one"},
        outputs({"a.jpg": b"one and the rest"}) | {"done/a.jpg": b"one and the rest"},
        (RUN, (write_on, HotFolders.once)),
    ),
    "refused": Case(
        REVIEW,
        {"a.jpg": b"doubt"},
        outputs({"a.jpg": b"doubt"}) | below("done", {"a.jpg": b"doubt", "a.psd": b"a mask"}),
        (RUN, (spoil, HotFolders.once), (mend, HotFolders.once)),
    ),
    "retry": Case(
        CONFIG, {"sub/a.jpg": b"bad"}, failures({"sub/a.jpg": b"bad"}), (RUN, (nothing, retry), RUN)
    ),
    "told": Case(
        REVIEW + NOTIFY,
        {"a.jpg": b"one", "b.jpg": b"bad", "c.jpg": b"doubt"},
        outputs({"a.jpg": b"one"})
        | below("done", {"a.jpg": b"one"})
        | failures({"b.jpg": b"bad"})
        | {
            "review/c.psd": b"psd:doubt",
            "review/c.preview.png": b"png:doubt",
            "in/.mattebox/c.jpg": b"doubt",
        },
        notified=(("delivered", "a.jpg"), ("failed", "b.jpg"), ("review", "c.jpg"), ("idle", "")),
    ),
    "stranded": Case(
        REVIEW,
        STRANDED,
        below("in/.mattebox", STRANDED)
        | {
            "review/a.psd": b"psd:doubt 1",
            "review/a.preview.png": b"png:doubt 1",
            "review/sub/a.psd": b"psd:doubt 2",
            "review/sub/a.preview.png": b"png:doubt 2",
        },
        (RUN, (lose_state, HotFolders.once)),
    ),
    "companions": Case(
        PAIRS,
        TRAVELLING,
        outputs({"a.jpg": b"one", "b.jpg": b"two"}) | below("done", TRAVELLING),
    ),
    "companions-fail": Case(
        PAIRS,
        {"a.jpg": b"bad", "a.xmp": b"stars"},
        failures({"a.jpg": b"bad"}) | {"failed/a.xmp": b"stars"},
        (RUN, (nothing, retry), RUN),
    ),
    "late-companion": Case(
        CONFIG,
        {"a.jpg": b"one"},
        outputs({"a.jpg": b"one"}) | {"done/a.jpg": b"one", "done/a.xmp": b"late"},
        (RUN, (late_sidecar, HotFolders.once)),
    ),
    "companions-other-disk": Case(
        CONFIG.replace("./done", "OTHER/done"), TOGETHER, outputs({"a.jpg": b"one"}) | below("done", TOGETHER)
    ),
    "companions-stranded": Case(
        REVIEW,
        {"a.jpg": b"doubt", "a.xmp": b"stars"},
        below("in/.mattebox", {"a.jpg": b"doubt", "a.xmp": b"stars"})
        | {"review/a.psd": b"psd:doubt", "review/a.preview.png": b"png:doubt"},
        (RUN, (lose_state, HotFolders.once)),
    ),
    "labels": Case(
        LABELS,
        {"a.jpg": b"one", "a.xmp": XMP, "b.jpg": b"two"},
        outputs({"a.jpg": b"one", "b.jpg": b"two"})
        | {
            "done/a.jpg": b"one",
            "done/a.xmp": merged(XMP, GREEN).packet,
            "done/b.jpg": b"two",
            "done/b.jpg.xmp": new_packet(GREEN),
        },
    ),
    "labels-late": Case(
        LABELS.replace("sidecar: name", "sidecar: stem"),
        {"a.jpg": b"one"},
        outputs({"a.jpg": b"one"}) | {"done/a.jpg": b"one", "done/a.xmp": b"late"},
        (RUN, (late_sidecar, HotFolders.once)),
    ),
    "labels-retry": Case(
        LABELS,
        {"a.jpg": b"bad", "b.jpg": b"bad too", "b.xmp": XMP},
        failures({"a.jpg": b"bad", "b.jpg": b"bad too"})
        | {"failed/a.jpg.xmp": new_packet(RED), "failed/b.xmp": merged(XMP, RED).packet},
        (RUN, (nothing, retry), RUN),
    ),
    "no-links": Case(CONFIG, GOOD, DONE, link_error=errno.EPERM),
    "other-disk": Case(CONFIG.replace("./done", "OTHER/done"), GOOD, DONE),
}


@contextmanager
def links(case: Case) -> Iterator[None]:
    """Hard links as they are on the case's file system."""

    def refuse(*_: Any, **__: Any) -> None:
        assert case.link_error is not None
        raise OSError(case.link_error, os.strerror(case.link_error))

    if case.link_error is None:
        yield
        return
    with mock.patch.object(os, "link", refuse):
        yield


def play(hot_folders: HotFolders, case: Case, kills: Sequence[int]) -> tuple[int, list[str]]:
    """Go through a case with kills at boundaries, each counted from the former kill on.

    After a kill the same stage runs again. How many kills came, and the boundaries passed after the last.
    """
    left, names = list(kills), []
    with links(case):
        for prepare, work in case.stages:
            prepare(hot_folders)
            while left:
                passed = killed_at(left[0], partial(work, hot_folders))
                if passed is not None:
                    left[0] -= passed
                    break
                del left[0]
            else:
                steps.listen(names.append)
                work(hot_folders)
                steps.listen(None)
    return len(kills) - len(left), names


def check(hot_folders: HotFolders, case: Case, other: Path) -> None:
    """Exactly what the case expects is there: nothing lost, nothing twice, nothing temporary."""
    if case.notified:
        time.sleep(0.2)  # a hook that a killed daemon has started still ends
    found = hot_folders.files()
    messages = [json.loads(found.pop(name)) for name in sorted(found) if name.startswith("told/")]
    heard = {(message["event"], message.get("input", "").rpartition("/")[2]) for message in messages}
    assert heard == set(case.notified)
    # A job's id stands in the names of its review and of its working folder.
    found = {re.sub(r"(?<=[./])[0-9a-f]{10}[./]", "", name): data for name, data in found.items()}
    found |= {p.relative_to(other).as_posix(): p.read_bytes() for p in other.rglob("*") if p.is_file()}
    reasons = {name for name, data in case.expect.items() if data is None}
    assert all(found[name].startswith(b"{") and found[name].endswith(b"}\n") for name in reasons & set(found))
    shown = {name: None if name in reasons else data for name, data in found.items()}
    if "psd" in case.expect:
        # Either of two equal photos may be the one that is done.
        shown = {name.rpartition(".")[2] if name.startswith("out/") else name: d for name, d in shown.items()}
        assert sum(name.startswith("out/") for name in found) == 2
    assert shown == case.expect
