"""The inbox gives everything once, in order, and its waits always end."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from mattebox.daemon.inbox import Inbox


@pytest.mark.slow
def test_a_wait_ends_however_short_it_is() -> None:
    """A timeout that is over before the wait begins never becomes a wait without end."""
    ended: list[int] = []

    def wait() -> None:
        for number in range(20_000):
            Inbox().get(1e-6 if number % 2 else 0.0)
            Inbox().get(-1.0)
        ended.append(1)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    thread.join(60)
    assert ended


def test_everything_arrives_once_and_in_its_order() -> None:
    """Four threads put, one reads: each one's items come in the order in which they were put."""
    inbox = Inbox()

    def put(who: int) -> None:
        for number in range(5000):
            inbox.put((who, number))

    threads = [threading.Thread(target=put, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    found: list[tuple[int, int]] = []
    deadline = time.monotonic() + 60
    while len(found) < 20_000 and time.monotonic() < deadline:
        found += inbox.get(0.05)
    for thread in threads:
        thread.join()
    assert len(found) == 20_000
    for who in range(4):
        assert [number for source, number in found if source == who] == list(range(5000))
    assert inbox.get(0.0) == []


def test_a_signal_handler_wakes_the_reader() -> None:
    """What a handler puts while its own thread waits ends that wait."""
    inbox = Inbox()
    before = signal.signal(signal.SIGUSR1, lambda *_: inbox.put("asked"))
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        found: list[str] = []
        deadline = time.monotonic() + 60
        while not found and time.monotonic() < deadline:
            found = inbox.get(30)
        assert found == ["asked"]
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)


def test_an_item_that_is_there_is_given_at_once() -> None:
    """No wait stands between an item and its reader, nor between two items."""
    inbox = Inbox()
    inbox.put(1)
    inbox.put(2)
    begun = time.monotonic()
    assert inbox.get(600) == [1, 2]
    inbox.put(3)
    assert inbox.get(600) == [3]
    assert time.monotonic() - begun < 600
