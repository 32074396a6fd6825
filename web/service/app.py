"""The service's ASGI application: its paths, who may ask, and what becomes of a request."""

from __future__ import annotations

import asyncio
import shutil
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mattebox.core.settings import ReadLimits
from mattebox.web.policy import OwnNames, SafeHeaders, own_names, same
from mattebox.web.service import removebg, rule
from mattebox.web.service.answers import cut_answer, error_answer, removebg_answer
from mattebox.web.service.errors import RequestError
from mattebox.web.service.fetching import fetch_photo
from mattebox.web.service.made import CutTask
from mattebox.web.service.metrics import MEDIA_TYPE, ServiceMetrics
from mattebox.web.service.openapi import document
from mattebox.web.service.upload import Form, Incoming, UploadLimits, read_form

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from mattebox.web.service.cutters import Cutters
    from mattebox.web.service.made import Result
    from mattebox.web.service.work_folder import WorkFolder

REMOVEBG: Final = "/v1.0/removebg"
CUT: Final = "/v1/cut"
_UNKNOWN: Final = "other"
# So many bytes and seconds of a request that was refused are read before its connection is closed.
_DRAINED: Final = (8_000_000, 2.0)
_UPLOADS: Final = UploadLimits()
_LIMITS: Final = ReadLimits()


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """What the server's owner decides. keys: who may ask; none: everybody who reaches it.

    urls: hosts that photos may be fetched from. names: by which clients ask, besides those of `host`.
    uploads: limits of a body, limits: of a photo's header.
    """

    model: str = "u2net"
    quality: str = "balanced"
    keys: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    uploads: UploadLimits = _UPLOADS
    limits: ReadLimits = _LIMITS
    host: str = "127.0.0.1"
    names: tuple[str, ...] = ()


class Service:
    """The endpoints; each request has a folder of its own, which is gone when its answer was sent."""

    def __init__(self, settings: ServiceSettings, cutters: Cutters, folder: WorkFolder) -> None:
        """`cutters` are started and stopped with the application."""
        self._settings = settings
        self._cutters = cutters
        self._folder = folder
        self._metrics = ServiceMetrics()

    def app(self) -> ASGIApp:
        """The application behind its policy."""
        routes = [
            Route(REMOVEBG, self._posted(removebg.FILES, self._removebg), methods=["POST"]),
            Route(CUT, self._posted(rule.FILES, self._cut), methods=["POST"]),
            Route("/v1.0/account", self._account, methods=["GET"]),
            Route("/health", self._health, methods=["GET"]),
            Route("/metrics", self._told, methods=["GET"]),
            Route("/openapi.json", self._document, methods=["GET"]),
        ]
        paths = frozenset(route.path for route in routes)
        handlers: Any = {404: _not_found, 405: _not_found, 500: _unforeseen}
        inner = Starlette(routes=routes, lifespan=self._lifespan, exception_handlers=handlers)
        counted = _Counted(_Keys(inner, self._settings.keys), self._metrics, paths)
        return SafeHeaders(OwnNames(counted, names=own_names(self._settings.host, self._settings.names)))

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        _ = app
        self._cutters.start()
        try:
            yield
        finally:
            await self._cutters.stop()

    def _posted(
        self,
        files: Mapping[str, str],
        answer: Callable[[Request, Form, Path], Awaitable[Response]],
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that takes a photo: a place, a folder, the upload, the answer, and all of it gone."""

        async def endpoint(_: Request) -> Response:
            return _Whole(self, files, answer)

        return endpoint

    @asynccontextmanager
    async def _request_folder(self) -> AsyncIterator[Path]:
        try:
            folder = self._folder.request_folder()
        except OSError as error:
            raise RequestError(507, "no_room", "This server has no room for uploads.", close=True) from error
        try:
            yield folder
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def answered(
        self,
        request: Request,
        incoming: Incoming,
        files: Mapping[str, str],
        answer: Callable[[Request, Form, Path], Awaitable[Response]],
        send: Callable[[Response], Awaitable[None]],
    ) -> None:
        """Take a request from its body to its answer's last byte."""
        try:
            async with self._cutters.place(), self._request_folder() as folder:
                form = await read_form(request, folder, files, self._settings.uploads)
                await send(await answer(request, form, folder))
        except RequestError as error:
            await incoming.drain(*(_DRAINED if error.close else (self._settings.uploads.bytes, 30.0)))
            await send(error_answer(error))
        except ClientDisconnect:
            return  # nobody is left to tell

    async def _removebg(self, request: Request, form: Form, folder: Path) -> Response:
        photo = await self._photo(form, folder, ("image_file", "image_file_b64"), "image_url")
        if form.fields.get("bg_image_url", "").strip() not in ("", "undefined", "null"):
            target = folder / "background"
            await self._fetch(form.fields["bg_image_url"], target)
            form.files["bg_image_file"] = target
        own = {
            "model": self._settings.model,
            "quality": self._settings.quality,
            "limits": self._settings.limits,
        }
        wish = removebg.wish_of(form.fields, form.files, **own)
        result = await self._done(request, CutTask(photo, wish))
        if result.report["subject_box"] is None:
            raise RequestError(
                400,
                "unknown_foreground",
                "No subject was found in this photo; it may need to stand out more.",
            )
        accept = request.headers.get("accept", "")
        as_json = "application/json" in accept and "image/" not in accept
        return removebg_answer(result, form.fields.get("type", "auto"), as_json=as_json)

    async def _cut(self, request: Request, form: Form, folder: Path) -> Response:
        photo = await self._photo(form, folder, ("photo", "photo_b64"), "photo_url")
        wish = rule.rule_wish(
            form.fields, form.files, model=self._settings.model, limits=self._settings.limits
        )
        result = await self._done(request, CutTask(photo, wish))
        return cut_answer(result, request.headers.get("accept", ""))

    async def _photo(self, form: Form, folder: Path, names: tuple[str, ...], url_name: str) -> Path:
        """The one photo of a form, from wherever it comes."""
        url = form.fields.get(url_name, "").strip()
        url = "" if url in ("undefined", "null") else url
        given = [form.files[name] for name in names if name in form.files]
        if len(given) + bool(url) > 1:
            raise RequestError(
                400, "multiple_sources", f"Give one photo alone: {', '.join(names)} or {url_name}."
            )
        if url:
            target = folder / "photo"
            await self._fetch(url, target)
            return target
        if not given or given[0].stat().st_size == 0:
            raise RequestError(
                400, "missing_source", f"There is no photo: send {', '.join(names)} or {url_name}."
            )
        return given[0]

    async def _fetch(self, url: str, target: Path) -> None:
        most = self._settings.uploads.bytes
        await asyncio.to_thread(fetch_photo, url, target, hosts=self._settings.urls, most=most)

    async def _done(self, request: Request, task: CutTask) -> Result:
        """Cut the photo, unless the client goes. Raises RequestError, ClientDisconnect."""
        work = asyncio.ensure_future(self._cutters.cut(task))
        gone = asyncio.ensure_future(_gone(request))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise ClientDisconnect
            return work.result()
        finally:
            for each in (work, gone):
                each.cancel()
                with suppress(asyncio.CancelledError, RequestError):
                    await each

    async def _account(self, request: Request) -> Response:
        _ = request
        charged = {"total": 0, "subscription": 0, "payg": 0, "enterprise": 0}
        api = {"free_calls": 0, "sizes": "all"}
        return JSONResponse({"data": {"attributes": {"credits": charged, "api": api}}})

    async def _health(self, request: Request) -> Response:
        _ = request
        return JSONResponse({"status": "ok", "free_places": self._cutters.free_places})

    async def _told(self, request: Request) -> Response:
        _ = request
        return Response(self._metrics.text(self._cutters), media_type=MEDIA_TYPE)

    async def _document(self, request: Request) -> Response:
        _ = request
        return JSONResponse(document())


class _Whole(Response):
    """A response that is the whole of a request: its folder lives until the last byte was sent."""

    def __init__(
        self,
        service: Service,
        files: Mapping[str, str],
        answer: Callable[[Request, Form, Path], Awaitable[Response]],
    ) -> None:
        self._parts = service, files, answer
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service, files, answer = self._parts
        incoming = Incoming(receive)

        async def deliver(response: Response) -> None:
            await response(scope, incoming, send)

        await service.answered(Request(scope, incoming), incoming, files, answer, deliver)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class _Keys:
    """Middleware: who has no key gets 403, but for the health; without keys everybody may ask."""

    def __init__(self, app: ASGIApp, keys: tuple[str, ...]) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Compare X-Api-Key."""
        if scope["type"] != "http" or not self._keys or scope["path"] == "/health":
            await self._app(scope, receive, send)
            return
        given = Request(scope).headers.get("x-api-key", "")
        if any(same(given, key) for key in self._keys):  # all are compared: no time tells which was near
            await self._app(scope, receive, send)
            return
        await Incoming(receive).drain(*_DRAINED)
        error = RequestError(403, "auth_failed", "The API key is missing or not known here.", close=True)
        await error_answer(error)(scope, receive, send)


class _Counted:
    """Middleware: counts each request by our own paths and its status."""

    def __init__(self, app: ASGIApp, metrics: ServiceMetrics, paths: frozenset[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count it when it has ended; 499: its client went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 499

        async def noting(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            path = scope["path"] if scope["path"] in self._paths else _UNKNOWN
            self._metrics.count(path, status, time.monotonic() - began)


async def _not_found(request: Request, error: Any) -> Response:
    _ = request
    sentence = "There is nothing at this path; /openapi.json says what there is."
    if error.status_code == 405:
        sentence = "This path does not answer to this method; /openapi.json says what it answers to."
    return error_answer(RequestError(error.status_code, "not_found", sentence))


async def _unforeseen(request: Request, error: Exception) -> Response:
    _ = request
    kind = type(error).__name__
    return error_answer(
        RequestError(500, "unknown_error", f"This server met an error that it does not know ({kind}).")
    )
