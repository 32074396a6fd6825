"""Answers of the service: pictures with their headers, JSON, multipart, errors."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from mattebox.web.service.errors import RequestError
    from mattebox.web.service.made import Made, Result

_STEP: Final = 1 << 18


def error_answer(error: RequestError) -> JSONResponse:
    """An error as the interface has it: `{"errors": [{"title", "code"}]}`."""
    headers = {"Connection": "close"} if error.close else {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return JSONResponse(
        {"errors": [{"title": str(error), "code": error.code}]}, status_code=error.status, headers=headers
    )


def removebg_headers(result: Result, kind: str) -> dict[str, str]:
    """The headers that scripts of the interface read; boxes are in pixels of the photo."""
    made, box = result.outputs[0], _box(result)
    return {
        "X-Type": kind if kind != "auto" else "other",
        "X-Width": str(made.width),
        "X-Height": str(made.height),
        "X-Credits-Charged": "0",
        **{f"X-Foreground-{name.title()}": str(value) for name, value in box.items()},
        **_sure(result),
    }


def removebg_answer(result: Result, kind: str, *, as_json: bool) -> Response:
    """The picture, or the picture in JSON as base64 for clients that accept JSON alone."""
    headers = removebg_headers(result, kind)
    made = result.outputs[0]
    if not as_json:
        return FileResponse(made.path, media_type=made.media_type, headers=headers)
    box = {f"foreground_{name}": value for name, value in _box(result).items()}
    return StreamingResponse(
        _json_with_files(('{"data":{"result_b64":"', made, f'",{json.dumps(box)[1:]}}}')),
        media_type="application/json",
        headers=headers,
    )


def cut_answer(result: Result, accept: str) -> Response:
    """One output as it is; several, or where it is accepted, as multipart/mixed or JSON with the report."""
    headers = _sure(result)
    if "application/json" in accept:
        parts: list[str | Made] = [f'{{"report":{json.dumps(result.report)},"outputs":[']
        for number, made in enumerate(result.outputs):
            about = {"format": made.format, "media_type": made.media_type, "name": made.path.name}
            parts += [f'{"," if number else ""}{json.dumps(about)[:-1]},"data":"', made, '"}']
        return StreamingResponse(
            _json_with_files((*parts, "]}")), media_type="application/json", headers=headers
        )
    if "multipart/" in accept or len(result.outputs) > 1:
        boundary = secrets.token_hex(16)
        return StreamingResponse(
            _multipart(result, boundary),
            media_type=f'multipart/mixed; boundary="{boundary}"',
            headers=headers,
        )
    made = result.outputs[0]
    headers |= {"X-Width": str(made.width), "X-Height": str(made.height)}
    return FileResponse(made.path, media_type=made.media_type, headers=headers)


def _sure(result: Result) -> dict[str, str]:
    return {
        "X-Confidence": f"{result.report['confidence']:.4f}",
        "X-Warnings": ",".join(result.report["warnings"]),
    }


def _box(result: Result) -> Mapping[str, int]:
    left, top, right, bottom = result.report["subject_box"] or (0, 0, 0, 0)
    return {"top": top, "left": left, "width": right - left, "height": bottom - top}


async def _json_with_files(parts: Sequence[str | Made]) -> AsyncIterator[bytes]:
    """JSON whose files are base64, never whole in memory."""
    for part in parts:
        if isinstance(part, str):
            yield part.encode()
            continue
        async for piece in _pieces(part, 3 * _STEP):
            yield base64.b64encode(piece)


async def _multipart(result: Result, boundary: str) -> AsyncIterator[bytes]:
    """The report, then each output (RFC 2046, 5.1)."""
    yield (
        f"--{boundary}\r\nContent-Type: application/json\r\n"
        'Content-Disposition: inline; name="report"\r\n\r\n'
        f"{json.dumps(result.report)}\r\n"
    ).encode()
    for made in result.outputs:
        yield (
            f"--{boundary}\r\nContent-Type: {made.media_type}\r\n"
            f'Content-Disposition: attachment; name="{made.format}"; filename="{made.path.name}"\r\n\r\n'
        ).encode()
        async for piece in _pieces(made, _STEP):
            yield piece
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


async def _pieces(made: Made, size: int) -> AsyncIterator[bytes]:
    file: Any = await asyncio.to_thread(made.path.open, "rb")
    with file:
        while piece := await asyncio.to_thread(file.read, size):
            yield piece
