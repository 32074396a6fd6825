"""Sheet: a batch as one HTML file that needs nothing else: pictures, verdicts and counts."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING, Final

from mattebox.web.table.words import in_words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

    from mattebox.web.table.items import Item

_STYLE: Final = (
    "body{font:14px/1.4 system-ui,sans-serif;margin:1.5rem;color-scheme:light dark}"
    "ul{list-style:none;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:1rem}"
    "li{border:1px solid #8886;border-radius:.4rem;padding:.5rem;overflow-wrap:anywhere}"
    "img{width:100%;height:9rem;object-fit:contain;background:#c8c8c8}"
    ".accept{border-color:#1a7f37}.reject{border-color:#cf222e}b{display:block}"
)
_SAID: Final = {
    "accept": "accepted",
    "reject": "rejected",
    "again": "asked again",
    "back": "taken back",
    "handed": "open elsewhere",
}


def counts(items: Iterable[Item]) -> dict[str, int]:
    """How many cutouts there are, were looked at and decided, mended, rejected, and are open."""
    shown = [item for item in items if item["state"] != "work"]
    return {
        "photos": len(shown),
        "seen": sum(item["verdict"] in ("accept", "reject") for item in shown),
        "mended": sum(item["mended"] for item in shown),
        "rejected": sum(item["verdict"] == "reject" for item in shown),
        "open": sum(item["state"] == "review" and not item["verdict"] for item in shown),
    }


async def contact_sheet(
    title: str,
    items: Sequence[Item],
    picture: Callable[[str], Awaitable[bytes]],
    sentences: Sequence[str] = (),
) -> AsyncIterator[str]:
    """The file in parts. picture: gives an item's JPEG by its id, b"" where there is none.

    sentences: what else is known of the batch.
    """
    told = ", ".join(f"{number} {name}" for name, number in counts(items).items())
    lines = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in (told, *sentences))
    yield (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(_text(title))}</title>'
        f"<style>{_STYLE}</style><h1>{html.escape(_text(title))}</h1>{lines}<ul>"
    )
    for item in items:
        if item["state"] == "work":
            continue
        data = base64.b64encode(await picture(item["id"])).decode("ascii")
        said = [_SAID.get(item["verdict"], ""), "mended" if item["mended"] else ""]
        sure = "" if item["confidence"] is None else f"{item['confidence']:.0%} sure"
        what = ", ".join(part for part in (sure, *said, *in_words(item["warnings"])) if part)
        shown = f'<img alt="" src="data:image/jpeg;base64,{data}">' if data else ""
        yield (
            f'<li class="{html.escape(item["verdict"])}">{shown}<b>{html.escape(_text(item["name"]))}</b>'
            f"{html.escape(what)}</li>"
        )
    yield "</ul></html>"


def _text(name: str) -> str:
    """A name as text that can be encoded, whatever bytes it has on the disk."""
    return name.encode("utf-8", "replace").decode("utf-8")
