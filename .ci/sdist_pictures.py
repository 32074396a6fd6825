"""Fetches source distributions through pip's own finder and unpacks their tests; nothing of them is run.

`pip download` would build each one's metadata, which runs its set-up code.
"""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
from pathlib import Path

from pip._internal.commands import create_command
from pip._vendor.packaging.specifiers import SpecifierSet


def fetched(requirement: str) -> bytes:
    """The source distribution of NAME==VERSION, its hash checked where the index tells one."""
    name, version = requirement.split("==")
    command = create_command("download")
    options, _ = command.parse_args(["--no-binary", ":all:", "-q", name])
    with command.main_context():
        session = command.get_default_session(options)
        finder = command._build_package_finder(options=options, session=session)  # noqa: SLF001 - no public way
        best = finder.find_best_candidate(name, SpecifierSet(f"=={version}")).best_candidate
        assert best is not None, f"no source distribution of {requirement}"
        answer = session.get(best.link.url_without_fragment)
        answer.raise_for_status()
        data = answer.content
    if best.link.hash_name:
        assert hashlib.new(best.link.hash_name, data).hexdigest() == best.link.hash, requirement
    return data


def main() -> None:
    """Run `sdist_pictures.py FOLDER NAME==VERSION...`."""
    folder = Path(sys.argv[1])
    for requirement in sys.argv[2:]:
        target = folder / requirement
        if target.is_dir():
            continue
        fresh = folder / f"{requirement}.new"
        with tarfile.open(fileobj=io.BytesIO(fetched(requirement))) as archive:
            members = [item for item in archive if item.isfile() and "tests/" in item.name.lower()]
            archive.extractall(fresh, members, filter="data")
        fresh.mkdir(parents=True, exist_ok=True)
        fresh.rename(target)


if __name__ == "__main__":
    main()
