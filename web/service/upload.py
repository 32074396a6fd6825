"""What a client sends, streamed to disk within limits before anything of it is decoded."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from mattebox.web.service.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import Message, Receive

# A field that is no file: settings as JSON are the longest.
_LONGEST_FIELD: Final = 256 * 1024
_MOST_PARTS: Final = 100
_MOST_HEADERS: Final = 8
# base64 in JSON or in a form is held in memory while it is taken apart, one such body at a time.
_TEXT_BYTES: Final = 96_000_000
_BASE64_STEP: Final = 4 * 256 * 1024


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """bytes: of one body. silence: seconds without a byte after which a client is given up."""

    bytes: int = 100_000_000
    silence: float = 30.0


@dataclass(frozen=True, slots=True)
class Form:
    """fields: texts by name. files: of the names that were asked for, where they lie."""

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)


_decoding = asyncio.Lock()


async def read_form(request: Request, folder: Path, files: Mapping[str, str], limits: UploadLimits) -> Form:
    """The fields and files of a body: multipart, form or JSON.

    files: which names hold files, and which name each gets in `folder`; a name that ends in `_b64` holds
    base64. Names that a client gives to files are not looked at. Raises RequestError, ClientDisconnect.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limits.bytes:
        raise _too_large(limits)
    try:
        if kind == b"multipart/form-data":
            form = await _multipart(_body(request, limits), options.get(b"boundary", b""), folder, files)
        elif kind in (b"application/json", b"application/x-www-form-urlencoded"):
            form = await _texts(_body(request, limits), kind.endswith(b"json"), folder, files, limits)
        else:
            raise RequestError(
                415,
                "unsupported_media_type",
                "Send the photo as multipart/form-data, as a form or as JSON.",
                close=True,
            )
    except OSError as error:
        raise RequestError(
            507, "no_room", "This server has no room for the upload; try again later.", close=True
        ) from error
    return form


async def _body(request: Request, limits: UploadLimits) -> AsyncIterator[bytes]:
    """The body's parts; RequestError where they are too many or do not come."""
    stream = request.stream().__aiter__()
    size = 0
    while True:
        try:
            part = await asyncio.wait_for(anext(stream), limits.silence)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise RequestError(
                408, "upload_timeout", f"Nothing came for {limits.silence:g} seconds.", close=True
            ) from error
        size += len(part)
        if size > limits.bytes:
            raise _too_large(limits)
        yield part


def _too_large(limits: UploadLimits) -> RequestError:
    return RequestError(
        413,
        "file_too_large",
        f"The upload is larger than {limits.bytes / 1e6:g} MB, the limit of this server.",
        close=True,
    )


class _Parts:
    """The parts of a multipart body as they come: files to disk, other fields to memory."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.form = Form()
        self._folder = folder
        self._files = files
        self._count = 0
        self._header = bytearray(), bytearray()
        self._name = ""
        self._file: IO[bytes] | None = None
        self._field = bytearray()

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._header_ends,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
        }

    def _begin(self) -> None:
        self._count += 1
        self._name = ""
        if self._count > _MOST_PARTS:
            raise RequestError(400, "too_many_fields", f"More than {_MOST_PARTS} fields.", close=True)

    def _header_ends(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(value))
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
        name.clear()
        value.clear()

    def _headers_end(self) -> None:
        own = self._files.get(self._name)
        if own is not None:
            if self._name in self.form.files:
                raise RequestError(400, "multiple_sources", f"{self._name} is given twice.", close=True)
            path = self._folder / own
            self._file = path.open("xb")
            self.form.files[self._name] = path

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(memoryview(data)[start:end])
            return
        self._field += data[start:end]
        if len(self._field) > _LONGEST_FIELD:
            raise RequestError(400, "field_too_long", "A field that is no photo is too long.", close=True)

    def _end(self) -> None:
        if self._file is not None:
            self.close()
            return
        self.form.fields[self._name] = self._field.decode("utf-8", "replace")
        self._field.clear()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


async def _multipart(
    body: AsyncIterator[bytes], boundary: bytes, folder: Path, files: Mapping[str, str]
) -> Form:
    parts = _Parts(folder, files)
    try:
        parser = MultipartParser(boundary, parts.callbacks(), max_header_count=_MOST_HEADERS)  # type: ignore[arg-type]
        async for part in body:
            parser.write(part)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise RequestError(400, "malformed_form", "The multipart form is malformed.", close=True) from error
    finally:
        parts.close()
    for name in [name for name in parts.form.files if name.endswith("_b64")]:
        await asyncio.to_thread(_decode_file, parts.form.files[name])
    return parts.form


async def _texts(
    body: AsyncIterator[bytes], is_json: bool, folder: Path, files: Mapping[str, str], limits: UploadLimits
) -> Form:
    """A form or JSON, whose files are base64; taken apart one body at a time."""
    staged = folder / "body"
    size = 0
    with staged.open("xb") as file:
        async for part in body:
            size += len(part)
            if size > min(limits.bytes, _TEXT_BYTES):
                raise _too_large(UploadLimits(min(limits.bytes, _TEXT_BYTES)))
            file.write(part)
    async with _decoding:
        form = await asyncio.to_thread(_taken_apart, staged, is_json, folder, files)
    staged.unlink()
    return form


def _taken_apart(staged: Path, is_json: bool, folder: Path, files: Mapping[str, str]) -> Form:
    raw = staged.read_bytes()
    try:
        if is_json:
            found = json.loads(raw)
            if not isinstance(found, dict):
                raise ValueError("no object")  # noqa: TRY301 - told as the others are
            values = {str(key): _text(value) for key, value in found.items() if value is not None}
        else:
            values = dict(parse_qsl(raw.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_PARTS))
    except (ValueError, RecursionError) as error:
        kind = "JSON object" if is_json else "form"
        raise RequestError(400, "malformed_body", f"The body is no {kind} that can be read.") from error
    del raw
    form = Form()
    for name, value in values.items():
        own = files.get(name)
        if own is None:
            form.fields[name] = value
        elif name.endswith("_b64"):
            form.files[name] = folder / own
            _write_base64(value.encode("ascii", "replace"), form.files[name])
    return form


def _text(value: Any) -> str:
    """A value of JSON as a form has it."""
    return value if isinstance(value, str) else json.dumps(value)


def _decode_file(path: Path) -> None:
    encoded = path.read_bytes()
    path.unlink()
    _write_base64(encoded, path)


def _write_base64(encoded: bytes, path: Path) -> None:
    """Decode base64 (RFC 4648), also behind `data:image/png;base64,`, into a file."""
    if encoded[:5] == b"data:":
        encoded = encoded[encoded.find(b",", 0, 256) + 1 :]
    encoded = encoded.translate(None, b" \t\r\n")
    encoded += b"=" * (-len(encoded) % 4)
    try:
        with path.open("xb") as file:
            for start in range(0, len(encoded), _BASE64_STEP):
                file.write(base64.b64decode(encoded[start : start + _BASE64_STEP], validate=True))
    except binascii.Error as error:
        raise RequestError(400, "invalid_base64", "The photo is no base64 that can be read.") from error


class Incoming:
    """An ASGI receive that knows whether the body has ended, so that a refusal can read what is left."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = False

    async def __call__(self) -> Message:
        """The next message."""
        message = await self._receive()
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def drain(self, most: int, seconds: float) -> None:
        """Read on, up to `most` bytes for so many seconds: a client that still sends reads no answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._ended and most > 0:
                    most -= len((await self()).get("body", b""))
