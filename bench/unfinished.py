"""Every format x share x way of an unfinished file, looked at as hot folders do.

python bench/unfinished.py [PHOTO...]      exit status 1 where one was taken as whole
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.conftest import _shipped_photos
from tests.daemon.unfinished import FORMATS, SHARES, WAYS, told_whole


def main() -> int:
    """Print what was looked at and what was wrong; 1 where something was."""
    photos = [Path(name) for name in sys.argv[1:]] or list(_shipped_photos().values())
    count, wrong = 0, []
    with tempfile.TemporaryDirectory() as folder:
        for photo in photos:
            with Image.open(photo) as picture:
                small = picture.convert("RGB")
            small.thumbnail((640, 640))
            for name, save in FORMATS.items():
                whole = save(small)
                for share in SHARES:
                    for way in WAYS:
                        count += 1
                        wrong.append(told_whole(Path(folder), name, whole, share, way))
    wrong = [line for line in wrong if line]
    print("\n".join(wrong))
    print(f"{count} unfinished files of {len(photos)} photos, {len(wrong)} taken as whole or refused at once")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
