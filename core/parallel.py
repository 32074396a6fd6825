"""Work on the parts of one picture side by side, on as many cores as are this process's own."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from mattebox.core.network.device import available_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

_First = TypeVar("_First")
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_Second = TypeVar("_Second")
_LANES: int | None = None


def lanes() -> int:
    """How many parts are worked on at once: the cores that are ours, or what limit_lanes() said."""
    global _LANES  # noqa: PLW0603 - one number a process, as the cores are
    if _LANES is None:
        _LANES = available_cores()
    return _LANES


def limit_lanes(count: int) -> None:
    """Take `count` cores at most in this process, which is one worker of several."""
    global _LANES  # noqa: PLW0603 - one number a process, as the cores are
    _LANES = max(1, count)


def side_by_side(work: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """The result of `work` for each item, in order; at most two results a lane are held.

    Only for work that leaves Python's lock alone for most of its time, as arrays and codecs do.
    """
    count = lanes()
    if count == 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(count, "part") as pool:
        waiting: deque[Future[_Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > 2 * count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for left in waiting:
                left.cancel()


def both(first: Callable[[], _First], second: Callable[[], _Second]) -> tuple[_First, _Second]:
    """What two pieces of work give, done at the same time where there are cores for it."""
    if lanes() == 1:
        return first(), second()
    with ThreadPoolExecutor(1, "beside") as pool:
        beside = pool.submit(first)
        done = second()
        return beside.result(), done
