"""The handshake: a worker gets work only if it sees the same files and would compute the same bytes."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mattebox.core.errors import MatteboxError, reason_of
from mattebox.core.network.lookup import weights_in_use
from mattebox.core.publish import STAGED_PREFIX
from mattebox.core.settings import CutSettings
from mattebox.daemon.journal.plan import plain_settings
from mattebox.daemon.work.cluster.attempt import paths_here

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable, Iterator, Mapping, Sequence

# Distributions that decide about an output's bytes, each under the names that it has.
_MAKERS: Final = (
    ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml"),
    ("numpy",),
    ("opencv-python-headless", "opencv-python"),
    ("pillow",),
    ("tifffile",),
    ("imagecodecs",),
    ("isal",),
    ("psd-tools",),
    ("distributed",),
)
_CODE: Final = "Mattebox's own files"


@dataclass(frozen=True, slots=True)
class Probe:
    """A file that the daemon has written and the worker must find; writes: it must answer beside it."""

    folder: str
    name: str
    text: str
    writes: bool

    @property
    def answer(self) -> str:
        """What the worker writes."""
        return self.text[::-1]


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that workers must see; writes: and write into."""

    folder: Path
    writes: bool


def versions() -> dict[str, str]:
    """What computes here: Mattebox, a hash of its files, and the libraries that make pixels and bytes."""
    found = {"mattebox": _version(("mattebox",)), _CODE: _code_digest()}
    return found | {names[0]: _version(names) for names in _MAKERS}


def greet(request: dict[str, Any]) -> dict[str, Any]:
    """The worker's side: versions, weights' hashes, and what keeps it from each probe ("": nothing)."""
    cuts = [CutSettings.model_validate(cut) for cut in request["cuts"]]
    weights = weights_in_use(cuts)
    _load(cut for cut in cuts if cut.model in weights)
    return {
        "versions": versions(),
        "weights": weights,
        "probes": [_probed(Probe(*probe)) for probe in request["probes"]],
        "host": socket.gethostname(),
        "pid": os.getpid(),
    }


def _load(cuts: Iterable[CutSettings]) -> None:
    """Load the networks of rules once, before the first job; what keeps one from loading, a job will tell."""
    from mattebox.core.job import process_engine  # noqa: PLC0415 - in workers alone

    for cut in cuts:
        with contextlib.suppress(MatteboxError, MemoryError):
            process_engine().segmenter(cut)


def request(cuts: Iterable[CutSettings], probes: Sequence[Probe]) -> dict[str, Any]:
    """What a worker is asked."""
    return {
        "cuts": [plain_settings(cut) for cut in cuts],
        "probes": [(item.folder, item.name, item.text, item.writes) for item in probes],
    }


def sweep(places: Iterable[Place], daemon: str) -> None:
    """Remove the probes that a killed run of this daemon left; call it before the first new one."""
    for place in places:
        for folder in (place.folder, place.folder.parent):
            with contextlib.suppress(OSError):
                for path in folder.glob(f"{STAGED_PREFIX}probe-{daemon}-*"):
                    path.unlink(missing_ok=True)


@contextlib.contextmanager
def probing(places: Iterable[Place], daemon: str, lost: deque[Probe]) -> Iterator[list[Probe]]:
    """A probe in each place, or in what is there above it, removed at the end. Raises OSError.

    daemon: a word for whose they are. lost: those that were not there to be removed, for the storage was
    away; the next ones take them along.

    Where the daemon itself may not write, that the folder is there is all that a worker can be asked.
    """
    probes: dict[str, Probe] = {}
    former = [lost.popleft() for _ in range(len(lost))]
    lost.extend(probe for probe in former if not _remove(probe))
    try:
        for place in places:
            folder = _there(place.folder)
            known = probes.get(os.fspath(folder))
            if known is not None and (known.writes or not place.writes):
                continue
            name = f"{STAGED_PREFIX}probe-{daemon}-{secrets.token_hex(6)}"
            probe = Probe(os.fspath(folder), name, secrets.token_hex(16), place.writes)
            try:
                (folder / name).write_text(probe.text, encoding="ascii")
            except OSError:
                if place.writes:
                    raise
                probe = Probe(probe.folder, "", "", writes=False)
            if known is not None:
                _remove(known)
            probes[probe.folder] = probe
        yield list(probes.values())
    finally:
        lost.extend(probe for probe in probes.values() if not _remove(probe))


def differences(
    ours: Mapping[str, Mapping[str, str]], answer: Mapping[str, Any], probes: Sequence[Probe]
) -> tuple[str, ...]:
    """Why a worker gets no work, as sentences; none where all is as it must be.

    ours: the daemon's own `versions` and `weights`.
    """
    found = [*_of_versions(ours["versions"], answer["versions"])]
    for name, wanted in ours["weights"].items():
        has = answer["weights"].get(name, "")
        if not has:
            found.append(f"it lacks the weights of {name}: run 'mattebox models pull {name}' there.")
        elif has != wanted:
            found.append(f"its weights of {name} are others than the daemon's: fetch or copy them anew.")
    extra = [name for name in answer["weights"] if name not in ours["weights"]]
    found += [f"it would use {name}, which the daemon does not have." for name in extra]
    for probe, problem in zip(probes, answer["probes"], strict=True):
        why = problem or _unanswered(probe)
        if why:
            found.append(f"{probe.folder}: {why}")
    return tuple(found)


def _of_versions(ours: Mapping[str, str], theirs: Mapping[str, str]) -> Iterator[str]:
    different = {name: theirs.get(name, "") for name in ours if theirs.get(name, "") != ours[name]}
    if different.keys() == {_CODE}:
        yield "its Mattebox has the same version and other files: install the same one on both machines."
    for name, has in different.items():
        if name != _CODE:
            yield f"it has {name} {has or '(none)'}, the daemon {ours[name] or '(none)'}: install the same."


def _probed(probe: Probe) -> str:
    """The worker's side of one probe."""
    try:
        folder = Path(paths_here().here(probe.folder))
    except ValueError:
        return "this machine can have no such folder; give it --map."
    try:
        if not probe.name:
            return "" if folder.is_dir() else f"it is not there (as {folder}); mount it, or give it --map."
        if (folder / probe.name).read_text(encoding="ascii") != probe.text:
            return f"another folder is there (as {folder})."
    except FileNotFoundError:
        return f"the daemon's probe is not there (as {folder}); mount the storage, or give it --map."
    except (OSError, ValueError) as error:
        return f"it cannot be read (as {folder}: {reason_of(error)})."
    return _written(probe, folder) if probe.writes else ""


def _written(probe: Probe, folder: Path) -> str:
    own = folder / f"{probe.name}-{os.getpid()}"
    try:
        with own.open("x", encoding="ascii") as file:
            file.write(probe.answer)
        own.replace(folder / f"{probe.name}-answer")
    except OSError as error:
        return f"it cannot be written (as {folder}: {reason_of(error)})."
    return ""


def _unanswered(probe: Probe) -> str:
    if not probe.writes:
        return ""
    try:
        said = Path(probe.folder, f"{probe.name}-answer").read_text(encoding="ascii")
    except (OSError, ValueError):
        said = ""
    return "" if said == probe.answer else "what it wrote there does not arrive here."


def _remove(probe: Probe) -> bool:
    """Whether it was there, if it was ever written; it and what answers it is gone then."""
    found = not probe.name
    with contextlib.suppress(OSError):
        for path in Path(probe.folder).glob(f"{probe.name}*") if probe.name else ():
            path.unlink()
            found = found or path.name == probe.name
    return found


def _there(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there: outputs make their folders when they come."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _version(names: Sequence[str]) -> str:
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(name)
    return ""


@functools.cache
def _code_digest() -> str:
    """A hash of Mattebox's own modules; line ends, which a checkout may change, do not count."""
    digest = hashlib.sha256()
    for room in ("core", "daemon", "models"):
        spec = importlib.util.find_spec(f"mattebox.{room}")
        top = Path(next(iter((spec and spec.submodule_search_locations) or [room])))
        for path in sorted(top.rglob("*.py"), key=lambda path: path.relative_to(top).as_posix()):
            digest.update(path.relative_to(top).as_posix().encode())
            digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:16]
