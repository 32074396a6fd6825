"""rembg's own mattes, one PNG a photo and mode; run by the interpreter of rembg's own environment.

bench/quality.py starts it. One answer of the network serves all modes of a photo, so that the modes
differ in nothing but what rembg does with it.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from rembg import new_session, remove

MODES: dict[str, dict[str, bool]] = {
    "default": {"only_mask": True},
    "ppm": {"only_mask": True, "post_process_mask": True},
    "a": {"alpha_matting": True},
}


class _Remembered:
    """A session that answers the same photo once."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._answer: list[Image.Image] | None = None

    def forget(self) -> None:
        self._answer = None

    def predict(self, picture: Image.Image, *_args: Any, **_options: Any) -> list[Image.Image]:
        if self._answer is None:
            self._answer = self._session.predict(picture)
        return [mask.copy() for mask in self._answer]


def main() -> None:
    """Read [[photo, mode], ...] as JSON from stdin; write CACHE/SHA256.MODEL.MODE.png for each."""
    cache, model = Path(sys.argv[1]), sys.argv[2]
    cache.mkdir(parents=True, exist_ok=True)
    session = _Remembered(new_session(model))
    last = ""
    for photo, mode in json.load(sys.stdin):
        key = hashlib.sha256(Path(photo).read_bytes()).hexdigest()
        target = cache / f"{key}.{model}.{mode}.png"
        if target.exists():
            continue
        if photo != last:
            session.forget()
            last = photo
        with Image.open(photo) as picture:
            answer = remove(picture, session=session, **MODES[mode])
        matte = answer if answer.mode == "L" else answer.getchannel("A")
        partial = target.with_suffix(".part")
        matte.save(partial, format="png")
        partial.replace(target)
        sys.stdout.write(f"{photo} {mode}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
