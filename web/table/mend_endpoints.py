"""Addresses of mending and comparing: what needs networks, one request after the other in their thread."""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from mattebox.core.errors import MatteboxError
from mattebox.core.write.mask import mask_png
from mattebox.web.table.mending import Mending
from mattebox.web.table.page_prompts import read_page_prompts
from mattebox.web.table.request import body_of
from mattebox.web.table.variants import Variants, variants_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from starlette.requests import Request

    from mattebox.core.photo import Pixels
    from mattebox.web.table.sources import Sources
    from mattebox.web.table.table import Table

# Who waits for an answer comes before what is shown beside it.
_NOW: Final = 0
_SOON: Final = 1
_KEEP: Final = {"Cache-Control": "private, max-age=3600"}


class MendEndpoints:
    """One method an address."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._mending = Mending(table.networks)
        self._variants = Variants(table.networks)
        self._ahead: Future[Any] | None = None

    async def open(self, request: Request) -> Response:
        """Have the networks look at a photo, and then at the `next` one."""
        sources = await self._table.sources(request.path_params["job"])
        body = await body_of(request)
        if self._ahead is not None:
            self._ahead.cancel()
        await self._ask(lambda: self._mending.open(sources), _NOW)
        following = body.get("next")
        if isinstance(following, str):
            self._ahead = self._table.ahead.ask(self._opener(await self._table.sources(following)))
        return JSONResponse({})

    async def answer(self, request: Request) -> Response:
        """What is meant by all that was said so far, to be shown at once."""
        sources = await self._table.sources(request.path_params["job"])
        said = read_page_prompts(await body_of(request))
        picture, sentences = await self._ask(lambda: self._mending.answer(sources, said), _NOW)
        headers = {"X-Sentences": json.dumps(sentences)}
        return Response(picture, media_type="image/png", headers=headers)

    async def edge(self, request: Request) -> Response:
        """The same with its edge redone, at the size of the page's pictures."""
        sources = await self._table.sources(request.path_params["job"])
        said = read_page_prompts(await body_of(request))
        picture = await self._ask(lambda: self._mending.edge(sources, said), _SOON)
        return Response(picture, media_type="image/png")

    async def accept(self, request: Request) -> Response:
        """Accept what was mended: its matte is kept, and every output will be rendered with it."""
        job = request.path_params["job"]
        sources = await self._table.sources(job)
        said = read_page_prompts(await body_of(request))
        alpha = await self._ask(lambda: self._mending.matte(sources, said), _NOW)
        return await self._accepted(job, alpha, {"by": "mend"})

    async def variants(self, request: Request) -> Response:
        """What a photo can be compared by."""
        job = request.path_params["job"]
        sources = await self._table.sources(job)
        self._variants.wanted = job
        return JSONResponse({"variants": variants_of(sources.cut.model, await self._table.known_networks())})

    async def variant(self, request: Request) -> Response:
        """The cutout by one of those."""
        sources, changes = await self._variant(request)
        picture = await self._ask(lambda: self._variants.picture(sources, changes), _SOON)
        return Response(picture, media_type="image/png", headers=_KEEP)

    async def take(self, request: Request) -> Response:
        """Accept one of those."""
        sources, changes = await self._variant(request)
        alpha = await self._ask(lambda: self._variants.matte(sources, changes), _NOW)
        return await self._accepted(sources.job, alpha, {"by": " ".join(changes.values())})

    async def _variant(self, request: Request) -> tuple[Sources, dict[str, str]]:
        sources = await self._table.sources(request.path_params["job"])
        known = variants_of(sources.cut.model, await self._table.known_networks())
        number = request.path_params["number"]
        if not number < len(known):
            raise HTTPException(404)
        return sources, known[number]

    async def _accepted(self, job: str, alpha: Pixels, settings: dict[str, str]) -> Response:
        def png() -> bytes:
            with io.BytesIO() as file:
                mask_png(file, alpha)
                return file.getvalue()

        data = await self._table.paint(png)

        def decide(desk: Any) -> list[str]:
            if desk.job(job).state != "review":
                raise MatteboxError(f"{desk.job(job).plan.name}: it is not in review any more.")
            matte = desk.keep_matte(job, data)
            found: list[str] = desk.decide([job], "accept", settings=settings, matte=matte)
            return found

        jobs = await self._table.ask(decide)
        await self._table.decided(jobs)
        return JSONResponse({"jobs": jobs})

    async def _ask(self, work: Callable[[], Any], urgency: int) -> Any:
        return await asyncio.wrap_future(self._table.engine.ask(work, urgency))

    def _opener(self, sources: Sources) -> Callable[[], object]:
        return lambda: self._mending.open(sources)
