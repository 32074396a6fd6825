"""Weights from an address."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final

from mattebox.models.errors import SourceError, reason_of

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.models.catalogue import UrlSource
    from mattebox.models.progress import Progress

# Also the longest silence inside a transfer; a dead address must not keep a person waiting.
_TIMEOUT: Final = 10.0
_ATTEMPTS: Final = 4
_BLOCK: Final = 1 << 18


def fetch_url(source: UrlSource, target: Path, progress: Progress, size: int | None) -> None:
    """Write what lies at the source's address to `target`; a broken transfer goes on where it stopped.

    `size` bounds what is accepted. Raises SourceError.
    """
    progress.begin(source.url.rsplit("/", 1)[-1], size)
    try:
        for attempt in range(_ATTEMPTS):
            have = target.stat().st_size if target.exists() else 0
            try:
                _transfer(source.url, target, have, progress, size)
            except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
                grown = target.exists() and target.stat().st_size > have
                if not grown or attempt == _ATTEMPTS - 1:
                    raise SourceError(
                        f"{source.url}: the transfer broke off ({reason_of(error)})."
                    ) from error
            else:
                return
    except urllib.error.HTTPError as error:
        raise SourceError(f"{source.url}: the server answers with status {error.code}.") from error
    except urllib.error.URLError as error:
        raise SourceError(f"{source.url}: it cannot be reached ({reason_of(error)}).") from error
    except OSError as error:
        raise SourceError(f"{source.url}: the transfer failed ({reason_of(error)}).") from error
    finally:
        progress.end()


def _transfer(url: str, target: Path, have: int, progress: Progress, size: int | None) -> None:
    headers = {"User-Agent": "mattebox", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - addresses come from our catalogue
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310 - likewise
        resumed = answer.status == http.client.PARTIAL_CONTENT
        written = have if resumed else 0
        with target.open("ab" if resumed else "wb") as file:
            while block := answer.read1(_BLOCK):
                written += len(block)
                if size is not None and written > size:
                    raise SourceError(
                        f"{url}: the file there is larger than the {size} bytes it should have."
                    )
                file.write(block)
                progress.advance(len(block))
        expected = size if size is not None else _length(answer, written)
        if written < expected:
            raise http.client.IncompleteRead(b"", expected - written)


def _length(answer: http.client.HTTPResponse, written: int) -> int:
    text = answer.headers.get("Content-Length")
    return int(text) if text is not None and answer.status == http.client.OK else written
