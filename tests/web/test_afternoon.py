"""A person's afternoon: two hundred photos, forty in review, decided by keys and five mended by clicks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.web.rig import SIZE, decided, hot_folders, jobs, put, serving, shown
from tests.web.test_mend import alpha_of, at, edged, ready, saved

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(1200)]

SURE = [f"sure-{number:03}.jpg" for number in range(160)]
DOUBTFUL = [f"photo-{number:03}.jpg" for number in range(200, 240)]
MENDED = 5
# A corner that the drawn matte does not hold.
CORNER = (40, 40)


def test_every_output_is_as_it_was_decided(page: Any, quick_disk: Path) -> None:
    """Accepted ones have the matte of the review, mended ones that of the person, rejected ones none."""
    folders = hot_folders(quick_disk)
    put(folders, [*SURE, *DOUBTFUL])
    assert folders.once().delivered == 160
    wanted: dict[str, str] = {}
    with serving(folders.config) as server:
        page.goto(server.address)
        shown(page, "document.getElementById('counter').textContent === '40 of 40 left'", 60)
        for number, name in enumerate(DOUBTFUL):
            shown(page, f"document.getElementById('name').textContent === {name!r}")
            shown(
                page, "document.body.dataset.painted === document.querySelector('.row.current').id.slice(4)"
            )
            if number < MENDED:
                wanted[name] = "mended"
                # Then each next one opens by itself.
                if number == 0:
                    page.keyboard.press("m")
                ready(page)
                page.keyboard.press("4")
                page.mouse.click(*at(page, *CORNER, SIZE))
                edged(page)
                page.keyboard.press("1")
                page.mouse.click(*at(page, SIZE[0] / 2, SIZE[1] / 2, SIZE))
                edged(page)
                page.keyboard.press("a")
                saved(page)
            else:
                if number == MENDED:
                    page.keyboard.press("Escape")
                    shown(page, "document.body.dataset.mend === undefined")
                wanted[name] = "reject" if number % 5 == 1 else "accept"
                page.keyboard.press("r" if wanted[name] == "reject" else "a")
        saved(page)
        assert sum(value == "mended" for value in wanted.values()) == MENDED
        assert {name: verdict.replace("accept", "") for name, verdict in decided(folders).items()} == {
            name: "reject" if value == "reject" else "" for name, value in wanted.items()
        }
        page.keyboard.press("d")
        shown(page, "document.getElementById('send').textContent === 'Deliver'")
        saved(page)
    folders.once()
    states = {name: job.state for name, job in jobs(folders).items()}
    for name, value in wanted.items():
        assert states[name] == ("failed" if value == "reject" else "done")
        png = folders.root / "out" / name.replace(".jpg", ".png")
        assert png.exists() == (value != "reject")
        if value == "reject":
            continue
        alpha = alpha_of(png)
        assert alpha[SIZE[1] // 2, SIZE[0] // 2] == 255
        assert (alpha[CORNER[1], CORNER[0]] == 255) == (value == "mended")
    assert all(states[name] == "done" for name in SURE)
    assert len(list((folders.root / "out").glob("*.psd"))) == 200 - sum(
        v == "reject" for v in wanted.values()
    )
    assert not np.array_equal(
        alpha_of(folders.root / "out" / DOUBTFUL[0].replace(".jpg", ".png")),
        alpha_of(folders.root / "out" / DOUBTFUL[MENDED].replace(".jpg", ".png")),
    )
