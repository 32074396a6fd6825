"""A photo from an address: only from hosts that the server's owner named, no redirects, within limits."""

from __future__ import annotations

import http.client
import ssl
import time
from contextlib import closing
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from mattebox.core.network.lookup import is_offline
from mattebox.web.service.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_STEP: Final = 1 << 18


def fetch_photo(url: str, target: Path, *, hosts: Collection[str], most: int, seconds: float = 30.0) -> None:
    """Fetch `url` into `target`; at most `most` bytes, and so many seconds for all of it.

    hosts: names as in the address, with the port where it is not the usual one. Raises RequestError.
    """
    try:
        parts = urlsplit(url)
        host, port, plain = parts.hostname or "", parts.port, parts.scheme == "http"
    except ValueError as error:
        raise _refused("this is no address") from error
    named = host if port is None else f"{host}:{port}"
    if parts.scheme not in ("http", "https") or parts.username is not None or named not in hosts:
        raise _refused(
            "this server fetches nothing from there; whoever runs it names hosts with --allow-urls"
        )
    if is_offline() and host not in ("localhost", "127.0.0.1", "::1"):
        raise _refused("this server is offline")
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    until = time.monotonic() + seconds
    connection = (
        http.client.HTTPConnection(host, port, timeout=seconds)
        if plain
        else http.client.HTTPSConnection(host, port, timeout=seconds, context=ssl.create_default_context())
    )
    try:
        with closing(connection):
            connection.request("GET", path, headers={"Accept": "image/*"})
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                raise _refused(f"what is there answers {answer.status}")
            _save(answer, target, most, until)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _refused("it cannot be fetched from there") from error


def _save(answer: http.client.HTTPResponse, target: Path, most: int, until: float) -> None:
    size = 0
    with target.open("xb") as file:
        while part := answer.read1(_STEP):
            size += len(part)
            if size > most:
                raise RequestError(413, "file_too_large", f"image_url: it is larger than {most / 1e6:g} MB.")
            if time.monotonic() > until:
                raise _refused("it did not come in time")
            file.write(part)


def _refused(why: str) -> RequestError:
    return RequestError(400, "failed_to_fetch_image", f"image_url: {why}.")
