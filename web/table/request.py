"""Requests: the JSON object that a page sent, within bounds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.requests import Request

_MOST: Final = 4 * 2**20


async def body_of(request: Request) -> dict[str, Any]:
    """A request's JSON object, of no more than 4 MiB. Raises HTTPException 400 and 413."""
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > _MOST:
            raise HTTPException(413)
    try:
        found = json.loads(bytes(data) or b"{}")
    except (ValueError, RecursionError):
        raise HTTPException(400) from None
    if not isinstance(found, dict):
        raise HTTPException(400)
    return found


def number_of(request: Request, name: str) -> int:
    """A number of 0 to 9 digits in a request's query. Raises HTTPException 400."""
    text = request.query_params.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise HTTPException(400)
    return int(text)
