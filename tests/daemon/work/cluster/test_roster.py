"""The roster: two jobs a worker, none for one that is in doubt, and handshakes ever less often."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from mattebox.daemon.work.cluster.roster import EACH, Roster

PLAIN: dict[str, Any] = {"name": "one", "nthreads": 1, "resources": {"GPU": 1}}


class Clock:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def roster(clock: Clock | None = None) -> Roster:
    """One whose jobs take a card."""
    return Roster({"GPU": 1}, clock or Clock())


def test_a_newcomer_gets_no_work_before_its_handshake() -> None:
    """Seen, asked once, and ready when it has answered well."""
    workers = roster()
    assert workers.seen({"a": PLAIN}) == []
    assert (workers.capacity, workers.next_free()) == (0, None)
    (asked,) = workers.to_greet()
    assert workers.to_greet() == []
    assert workers.answered(asked, ())
    assert (workers.capacity, workers.next_free()) == (EACH, asked)


def test_a_worker_has_two_jobs_at_most_and_the_freest_gets_the_next() -> None:
    """Two workers take four jobs, in turns."""
    workers = roster()
    workers.seen({"a": PLAIN, "b": {**PLAIN, "name": "two"}})
    for worker in workers.to_greet():
        workers.answered(worker, ())
    given = []
    while (worker := workers.next_free()) is not None:
        worker.tasks[str(len(given))] = None
        given.append(worker.address)
    assert sorted(given[:2]) == ["a", "b"]
    assert sorted(given) == ["a", "a", "b", "b"]
    workers.finished("b", str(given.index("b")), well=True)
    free = workers.next_free()
    assert free is not None
    assert (free.address, free.done) == ("b", 1)


def test_a_worker_without_the_resource_is_named_and_never_asked() -> None:
    """What it lacks will not come while it runs."""
    workers = roster()
    workers.seen({"a": {**PLAIN, "resources": {}}, "b": {**PLAIN, "nthreads": 4}})
    assert workers.to_greet() == []
    assert "GPU=1" in workers.workers["a"].why[0]
    assert "several jobs" in workers.workers["b"].why[0]
    assert workers.capacity == 0


def test_a_worker_in_doubt_is_asked_again_ever_less_often() -> None:
    """One second, two, four; and when it answers well it works on."""
    clock = Clock()
    workers = roster(clock)
    workers.seen({"a": PLAIN})
    (worker,) = workers.to_greet()
    workers.answered(worker, ())
    workers.doubt("a", "/mnt: the worker does not see it.")
    assert workers.capacity == 0
    asked_at = []
    for second in range(40):
        clock.now = float(second)
        if workers.to_greet():
            asked_at.append(second)
            workers.answered(worker, ("no",))
    pauses = [after - before for before, after in pairwise(asked_at)]
    assert pauses == sorted(pauses)
    assert len(asked_at) < 8
    workers.answered(worker, ())
    workers.finished("a", "none", well=True)
    assert (workers.capacity, worker.refusals) == (EACH, 0)


def test_who_is_gone_is_given_back_with_what_it_had() -> None:
    """Its jobs are nobody else's yet."""
    workers = roster()
    workers.seen({"a": PLAIN})
    workers.workers["a"].tasks["key"] = "job"
    (gone,) = workers.seen({})
    assert gone.tasks == {"key": "job"}
    assert workers.workers == {}
