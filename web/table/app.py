"""The page's addresses: what each answers. Ids come from the client, paths never."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from mattebox.core.errors import MatteboxError
from mattebox.daemon.guard import refusal
from mattebox.web.table.desk import again_settings
from mattebox.web.table.handover import hand_over, open_in_system
from mattebox.web.table.mend_endpoints import MendEndpoints
from mattebox.web.table.request import body_of, number_of
from mattebox.web.table.sheet import contact_sheet
from mattebox.web.table.words import WARNINGS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.requests import Request

    from mattebox.web.table.table import Table

EVENTS: Final = "/api/events"
_VERDICTS: Final = ("accept", "reject", "again", "back")
_KINDS: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_MOST_JOBS: Final = 100_000
# Pictures bear their version in the address, so that a browser may keep them while the page is open.
_KEEP: Final = {"Cache-Control": "private, max-age=3600"}
_ALIVE: Final = 15.0


def table_app(table: Table) -> Starlette:
    """The light table as an ASGI application; who may reach it is decided around it."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(table.watch())
        try:
            yield
        finally:
            watching.cancel()

    answers, mend = TableEndpoints(table), MendEndpoints(table)
    photo = "/api/photo/{job}"
    routes = [
        Route("/", answers.static),
        Route("/static/{name}", answers.static),
        Route(EVENTS, answers.events),
        Route("/api/decide", answers.decide, methods=["POST"]),
        Route("/api/undo", answers.undo, methods=["POST"]),
        Route("/api/promise", answers.promise, methods=["POST"]),
        Route("/api/send", answers.send, methods=["POST"]),
        Route("/api/sheet", answers.sheet),
        Route(photo, answers.facts),
        Route(f"{photo}/thumb", answers.thumb),
        Route(f"{photo}/before", answers.before),
        Route(f"{photo}/cutout", answers.cutout),
        Route(f"{photo}/detail", answers.detail),
        Route(f"{photo}/hand-over", answers.hand_over, methods=["POST"]),
        Route(f"{photo}/mend/open", mend.open, methods=["POST"]),
        Route(f"{photo}/mend/answer", mend.answer, methods=["POST"]),
        Route(f"{photo}/mend/edge", mend.edge, methods=["POST"]),
        Route(f"{photo}/mend/accept", mend.accept, methods=["POST"]),
        Route(f"{photo}/variants", mend.variants),
        Route(f"{photo}/variants/{{number:int}}", mend.variant),
        Route(f"{photo}/variants/{{number:int}}/take", mend.take, methods=["POST"]),
    ]
    handlers: Mapping[Any, Any] = {
        MatteboxError: _refused,
        OSError: _refused,
        KeyError: _unknown,
        HTTPException: _not_answered,
        Exception: _unforeseen,
    }
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)


class TableEndpoints:
    """One method an address."""

    def __init__(self, table: Table) -> None:
        self._table = table
        static = files("mattebox.web.table") / "static"
        self._static = {part.name: part for part in static.iterdir()}

    async def static(self, request: Request) -> Response:
        """A part of the page itself."""
        name = request.path_params.get("name", "index.html")
        if name not in self._static:
            raise HTTPException(404)
        return Response(self._static[name].read_bytes(), media_type=_KINDS[name.rpartition(".")[2]])

    async def events(self, _: Request) -> Response:
        """Server-sent events: all items, then every change."""
        return StreamingResponse(self._lines(), media_type="text/event-stream")

    async def _lines(self) -> AsyncIterator[str]:
        desk, told = self._table.desk, self._table.listen()
        waiting: asyncio.Future[Any] | None = None
        networks = await self._table.known_networks()
        first: dict[str, Any] = {"title": desk.title, "networks": networks}
        first |= {"may_promise": desk.may_promise, "may_take_back": not desk.delivers, "words": WARNINGS}
        yield f"data: {json.dumps(first)}\n\n"
        try:
            while True:
                waiting = waiting or asyncio.ensure_future(anext(told))
                done, _ = await asyncio.wait([waiting], timeout=_ALIVE)
                if not done:
                    yield ": alive\n\n"
                    continue
                message, waiting = waiting.result(), None
                yield f"data: {json.dumps(message)}\n\n"
        finally:
            if waiting is not None:
                waiting.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration):
                    await waiting
            await told.aclose()

    async def decide(self, request: Request) -> Response:
        """Accept, reject, ask again or take back: {jobs, verdict, settings}."""
        body = await body_of(request)
        jobs, verdict = body.get("jobs"), body.get("verdict")
        if not isinstance(jobs, list) or len(jobs) > _MOST_JOBS:
            raise HTTPException(400)
        if verdict not in _VERDICTS or not isinstance(body.get("settings", {}), dict):
            raise HTTPException(400)
        settings = None
        if verdict == "again" or (verdict == "back" and body.get("settings")):
            settings = again_settings(body.get("settings", {}), await self._table.known_networks())
        ids = [str(job) for job in jobs]
        known = await self._table.ask(lambda desk: desk.decide(ids, verdict, settings=settings))
        await self._table.decided(known)
        return JSONResponse({"jobs": known})

    async def undo(self, _: Request) -> Response:
        """Take the last decision back."""
        jobs = await self._table.ask(lambda desk: desk.undo())
        await self._table.decided(jobs)
        return JSONResponse({"jobs": jobs})

    async def promise(self, request: Request) -> Response:
        """Promise that at most a share of what nobody looks at is wrong: {share}; 0 for nothing."""
        share = (await body_of(request)).get("share")
        if not isinstance(share, int | float) or not self._table.desk.may_promise:
            raise HTTPException(400)
        await self._table.ask(lambda desk: desk.promise(float(share)))
        await self._table.promised()
        return JSONResponse({})

    async def send(self, _: Request) -> Response:
        """Have what is marked carried out."""
        jobs = await self._table.ask(lambda desk: desk.send())
        await self._table.decided(jobs)
        return JSONResponse({"sent": len(jobs)})

    async def hand_over(self, request: Request) -> Response:
        """Open a review's PSD in the program that the system has for it."""
        job = request.path_params["job"]
        await self._table.ask(lambda desk: hand_over(desk, job, open_in_system))
        await self._table.decided([job])
        return JSONResponse({})

    async def sheet(self, _: Request) -> Response:
        """The whole batch as one HTML file, to be saved."""
        desk = self._table.desk
        items = sorted(desk.known.items.values(), key=lambda item: str(item["name"]))
        parts = contact_sheet(desk.title, items, self._small, await self._table.sentences())
        headers = {"Content-Disposition": 'attachment; filename="contact-sheet.html"'}
        return StreamingResponse(parts, media_type=_KINDS["html"], headers=headers)

    async def _small(self, job: str) -> bytes:
        try:
            return await self._table.thumb(job)
        except (MatteboxError, OSError, KeyError):
            return b""

    async def facts(self, request: Request) -> Response:
        """The size of a photo, the rule's ground, and which pictures there are of the same place."""
        view = await self._table.view(request.path_params["job"])
        ground = (await self._table.sources(request.path_params["job"])).ground
        shown = {"width": view.width, "height": view.height, "aligned": view.aligned, "ground": ground}
        return JSONResponse({**shown, "before": bool(view.photo), "cutout": bool(view.cutout)})

    async def thumb(self, request: Request) -> Response:
        """The small picture of the list."""
        return _picture(await self._table.thumb(request.path_params["job"]), "image/jpeg")

    async def before(self, request: Request) -> Response:
        """The photo."""
        return _picture((await self._table.view(request.path_params["job"])).photo, "image/jpeg")

    async def cutout(self, request: Request) -> Response:
        """The cutout."""
        return _picture((await self._table.view(request.path_params["job"])).cutout, "image/png")

    async def detail(self, request: Request) -> Response:
        """A part of either in the photo's own pixels: ?part, left, top, width, height."""
        place = [number_of(request, name) for name in ("left", "top", "width", "height")]
        before, cutout = await self._table.detail(request.path_params["job"], *place)
        if request.query_params.get("part") == "before":
            return _picture(before, "image/jpeg")
        return _picture(cutout, "image/png")


def _picture(data: bytes, kind: str) -> Response:
    if not data:
        raise HTTPException(404)
    return Response(data, media_type=kind, headers=_KEEP)


async def _refused(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": refusal(error)}, status_code=409)


_SENTENCES: Final = {
    400: "This server cannot read what was sent; reload the page.",
    404: "There is nothing at this address.",
    405: "This address does not answer to this method.",
}


async def _not_answered(request: Request, error: HTTPException) -> Response:
    """In our words, to a person who mistyped an address as a page with the way back."""
    sentence = _SENTENCES.get(error.status_code, "This server does not answer to that.")
    return _sentence(request, sentence, error.status_code)


async def _unforeseen(request: Request, error: Exception) -> Response:
    return _sentence(
        request, f"This server met an error that it does not know ({type(error).__name__}).", 500
    )


def _sentence(request: Request, sentence: str, status: int) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": sentence}, status)
    head = '<meta charset="utf-8"><title>Mattebox</title><link rel="stylesheet" href="/static/style.css">'
    body = f'<h1>Mattebox</h1><p>{sentence}</p><p><a href="/">To the light table</a></p>'
    page = f'<!doctype html><html lang="en">{head}<main class="lost">{body}</main></html>'
    return HTMLResponse(page, status)


async def _unknown(_: Request, __: Exception) -> Response:
    return JSONResponse({"error": "This photo is not there any more."}, status_code=404)
