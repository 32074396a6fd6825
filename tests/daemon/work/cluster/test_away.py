"""A scheduler that is not there."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from mattebox.daemon.work.cluster.library import load

_ASK = """
import contextlib, gc, socket, time
from mattebox.daemon.inbox import Inbox
from mattebox.daemon.work.cluster.hands import Needs
from mattebox.daemon.work.cluster.pool import ClusterPool

with socket.socket() as taken:
    taken.bind(("127.0.0.1", 0))
    address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
    pool = ClusterPool(Inbox(), local=None, scheduler=address, security=None, needs=Needs("d", (), ()))
    end = time.monotonic() + 60
    while not pool._away and time.monotonic() < end:
        time.sleep(0.1)
    print(pool._away, flush=True)
    time.sleep(3)  # it connects again
    with contextlib.suppress(AttributeError):  # there is no pool for looks that could be stopped
        pool.stop()
    gc.collect()
"""


@pytest.mark.slow
def test_none_of_its_librarys_words_reach_the_user() -> None:
    """It is told in one sentence, and the client that never was one warns of nothing."""
    done = subprocess.run(
        [sys.executable, "-c", _ASK], capture_output=True, text=True, timeout=120, check=False
    )
    assert "the scheduler cannot be reached" in done.stdout
    assert "Warning" not in done.stderr
    assert "distributed" not in done.stderr


@pytest.mark.slow
def test_no_logger_of_its_library_has_a_say() -> None:
    """Neither the one that all come from, nor those that are given a level of their own."""
    load()
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]
    assert "distributed.client" in names
    assert [name for name in names if logging.getLogger(name).isEnabledFor(logging.CRITICAL)] == []
