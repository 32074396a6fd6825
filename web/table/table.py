"""Table: what the page's answers come from: the desk, pictures that were made, and who listens."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from mattebox.core.errors import MatteboxError
from mattebox.core.job import process_engine, run_job
from mattebox.core.network.lookup import networks_here
from mattebox.daemon.guard import refusal
from mattebox.web.table.detail import full_of, part_of
from mattebox.web.table.executor import PriorityExecutor
from mattebox.web.table.folder import FolderDesk
from mattebox.web.table.handover import HandoverWatch
from mattebox.web.table.looks import no_promise, promise_told, sentences, told
from mattebox.web.table.pictures import thumbnail, view_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from pathlib import Path

    from mattebox.core.engine import Engine
    from mattebox.web.table.desk import Desk
    from mattebox.web.table.detail import Full
    from mattebox.web.table.pictures import View
    from mattebox.web.table.sources import Sources

T = TypeVar("T")
# Bytes of pictures that are kept for who goes back and forth.
_KEPT: Final = 96 * 2**20
_PAINTERS: Final = 2
# How often the journal is looked at; after a long look so many times as long.
_LOOK: Final = 0.25
_PATIENCE: Final = 4
# Every so many looks, what changes seldom is looked at too.
_SELDOM: Final = 4
# After who waits at the page, before what may be wanted later.
_DELIVERY: Final = 3


class Table:
    """One light table at work: a thread for the journal, two for networks, two that paint."""

    def __init__(self, open_desk: Callable[[], Desk]) -> None:
        """open_desk: called in the journal's own thread. Raises what it raises."""
        self.journal = PriorityExecutor("journal")
        self.engine = PriorityExecutor("engine")
        # Looks at the next photo beside the answers about this one.
        self.ahead = PriorityExecutor("ahead")
        self.desk = self.journal.ask(open_desk).result()
        self._painters = ThreadPoolExecutor(_PAINTERS, "painter")
        self._views: OrderedDict[str, View] = OrderedDict()
        self._thumbs = self.desk.state / "thumbs"
        self._returns = HandoverWatch(self.desk)
        self._full: tuple[str, Full] | None = None
        self._networks: list[str] | None = None
        self._delivering = self.desk.delivers
        self._promise = no_promise()
        self._promising = asyncio.Lock()
        self._listeners: set[asyncio.Queue[dict[str, Any]]] = set()

    async def ask(self, work: Callable[[Desk], T]) -> T:
        """Have something done with the desk, in its thread."""
        return await asyncio.wrap_future(self.journal.ask(lambda: work(self.desk)))

    async def paint(self, work: Callable[[], T]) -> T:
        """Have something computed that needs neither journal nor network."""
        return await asyncio.get_running_loop().run_in_executor(self._painters, work)

    async def sources(self, job_id: str) -> Sources:
        """The files of a job. Raises KeyError."""
        return await self.ask(lambda desk: desk.sources(job_id))

    async def view(self, job_id: str) -> View:
        """The pictures of a job, made once while they are kept. Raises PhotoError, KeyError."""
        sources = await self.sources(job_id)
        found = self._views.get(sources.key)
        if found is None:
            found = await self.paint(lambda: view_of(sources))
            self._views[sources.key] = found
        self._views.move_to_end(sources.key)
        while len(self._views) > 1 and sum(view.size for view in self._views.values()) > _KEPT:
            self._views.popitem(last=False)
        return found

    async def thumb(self, job_id: str) -> bytes:
        """A job's small picture: made once and kept by the hash of what it shows."""
        sources = await self.sources(job_id)
        shown = sources.preview[1] if sources.preview is not None else sources.key
        return await self.paint(lambda: self._kept(shown, sources))

    async def detail(self, job_id: str, left: int, top: int, width: int, height: int) -> tuple[bytes, bytes]:
        """A part of the photo and of the cutout in the photo's own pixels. Raises PhotoError, KeyError."""
        sources = await self.sources(job_id)

        def painted() -> tuple[bytes, bytes]:
            known = self._full
            if known is None or known[0] != sources.key:
                known = self._full = (sources.key, full_of(sources))
            return part_of(known[1], left, top, width, height)

        return await self.paint(painted)

    def networks(self) -> Engine:
        """The engine, whose networks are loaded when they are wanted first."""
        return process_engine()

    async def known_networks(self) -> list[str]:
        """The networks on this computer that a cutout can be asked for again with."""
        if self._networks is None:
            self._networks = await self.paint(networks_here)
        return self._networks

    async def decided(self, jobs: Sequence[str]) -> None:
        """Tell every listener what was decided here of some jobs."""
        changed = await self.ask(lambda desk: desk.changes_of(jobs))
        if changed:
            self.tell({"items": changed, "gone": []})
            await self.promised()

    async def promised(self) -> None:
        """Tell every listener what is known now of what nobody looked at, where that is news."""
        # One at a time, so that the last word is the newest.
        async with self._promising:
            share, undrawn = self.desk.looks.share, dict(self.desk.looks.undrawn)
            drawn = await self.ask(lambda desk: desk.drawn()) if share else {}
            now = await self.paint(lambda: promise_told(share, drawn, undrawn)) if share else no_promise()
            if now != self._promise:
                self._promise = now
                self.tell({"promise": now})

    async def sentences(self) -> list[str]:
        """What is known of each folder that was drawn from, in words."""
        drawn, undrawn = await self.ask(lambda desk: (desk.drawn(), dict(desk.looks.undrawn)))
        return await self.paint(lambda: sentences(told(drawn, undrawn)))

    async def refresh(self) -> None:
        """Tell every listener what others have changed in the journal."""
        changed, gone = await self.ask(lambda desk: desk.changes())
        if changed or gone:
            for listener in self._listeners:
                listener.put_nowait({"items": changed, "gone": gone})
            await self.promised()

    async def listen(self) -> AsyncGenerator[dict[str, Any]]:
        """All items first, then what changes, for ever."""
        told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        await self.refresh()
        self._listeners.add(told)
        try:
            items = list(self.desk.known.items.values())
            yield {"all": items, "delivering": self._delivering, "promise": self._promise}
            while True:
                yield await told.get()
        finally:
            self._listeners.discard(told)

    def tell(self, message: dict[str, Any]) -> None:
        """Say something to every page that is open."""
        for listener in self._listeners:
            listener.put_nowait(message)

    async def watch(self) -> None:
        """Look for changes of the journal until cancelled; a journal that refuses is asked again."""
        loop = asyncio.get_running_loop()
        looks = 0
        rendering: asyncio.Task[None] | None = None
        while True:
            began = loop.time()
            with suppress(MatteboxError, OSError):
                await self.refresh()
                if looks % _SELDOM == 0:
                    await self._look_around()
                if rendering is None or rendering.done():
                    rendering = asyncio.create_task(self._deliver())
            looks += 1
            await asyncio.sleep(max(_LOOK, _PATIENCE * (loop.time() - began)))

    async def _look_around(self) -> None:
        """What came back from other programs, and whether a daemon is there."""
        await self.decided(await self.ask(lambda _: self._returns.look()))
        if await self.ask(lambda desk: desk.draw()):
            await self.promised()
        now = await self.ask(lambda desk: desk.delivers or desk.is_delivering())
        if now != self._delivering:
            self._delivering = now
            self.tell({"delivering": now})

    async def _deliver(self) -> None:
        """Do what was sent of a folder's own journal: render by mended mattes, or cut again."""
        desk = self.desk
        if not isinstance(desk, FolderDesk):
            return
        while (work := await asyncio.wrap_future(self.journal.ask(desk.begin))) is not None:
            try:
                report = await asyncio.wrap_future(self.engine.ask(partial(run_job, work.job), _DELIVERY))
                await asyncio.wrap_future(self.journal.ask(partial(desk.finish, work.id, report)))
            except (MatteboxError, OSError) as error:
                await asyncio.wrap_future(self.journal.ask(partial(desk.give_up, work.id)))
                self.tell({"say": refusal(error)})
            await self.decided([work.id])

    def stop(self) -> None:
        """End the threads and close the journal."""
        self._painters.shutdown(cancel_futures=True)
        self.ahead.stop()
        self.engine.stop()
        self.journal.ask(self.desk.close).result()
        self.journal.stop()

    def _kept(self, shown: str, sources: Sources) -> bytes:
        name = hashlib.sha256(shown.encode()).hexdigest()
        path: Path = self._thumbs / name[:2] / f"{name}.jpg"
        with suppress(OSError):
            return path.read_bytes()
        data = thumbnail(sources)
        with suppress(OSError):  # a full disk costs time alone
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            staged = path.with_suffix(f".{id(data):x}.part")
            staged.write_bytes(data)
            staged.replace(path)
        return data
