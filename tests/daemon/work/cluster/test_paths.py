"""Prefixes of paths: what holds a path, in POSIX and Windows forms, and what is done with the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattebox.daemon.work.cluster.paths import PathMap, Prefix, is_windows, parse_prefix

# Names that both systems have.
NAMES = st.text(
    st.characters(blacklist_characters='/\\:*?"<>|\0', blacklist_categories=("Cs", "Cc")),
    min_size=1,
    max_size=12,
).filter(lambda name: name.strip(". ") != "")
POSIX = st.lists(NAMES, min_size=1, max_size=4).map(lambda names: "/" + "/".join(names))
WINDOWS = st.builds(
    lambda root, names: "\\".join([root, *names]),
    st.one_of(
        st.sampled_from("CPz").map(lambda drive: f"{drive}:"), NAMES.map(lambda name: f"\\\\server\\{name}")
    ),
    st.lists(NAMES, min_size=1, max_size=4),
)
FOLDERS = st.one_of(POSIX, WINDOWS)


def below(folder: str, rest: list[str]) -> str:
    """A path in a folder, in the folder's own form."""
    return ("\\" if is_windows(folder) else "/").join([folder, *rest])


@given(FOLDERS, FOLDERS, st.lists(NAMES, max_size=4))
def test_there_and_back_is_the_same_path(daemon: str, here: str, rest: list[str]) -> None:
    """What is below a folder keeps its names, whichever forms the two machines have."""
    path = below(daemon, rest)
    there = PathMap((Prefix(daemon, here),)).here(path)
    assert there == below(here, rest)
    assert PathMap((Prefix(here, daemon),)).here(there) == path


@given(FOLDERS, FOLDERS, NAMES)
def test_a_name_that_only_begins_alike_is_another_folder(daemon: str, here: str, more: str) -> None:
    """/mnt/photos does not hold /mnt/photos2."""
    assert PathMap((Prefix(daemon, here),)).here(daemon + more) == daemon + more


@given(FOLDERS, FOLDERS, FOLDERS, st.lists(NAMES, max_size=3), NAMES)
def test_the_longest_prefix_counts(daemon: str, outer: str, inner: str, rest: list[str], name: str) -> None:
    """A folder within a folder may lie elsewhere, in whichever order both are told."""
    prefixes = (Prefix(daemon, outer), Prefix(below(daemon, [name]), inner))
    path = below(daemon, [name, *rest])
    assert PathMap(prefixes).here(path) == PathMap(prefixes[::-1]).here(path) == below(inner, rest)


@given(POSIX, st.lists(NAMES, max_size=3))
def test_what_no_prefix_holds_stays(daemon: str, rest: list[str]) -> None:
    """Machines that call the storage alike need no map."""
    path = below(daemon, rest)
    assert PathMap().here(path) == path
    assert PathMap((Prefix("/else/where", "/x"),)).here("/elsewhere") == "/elsewhere"


def test_windows_paths_are_compared_as_windows_does() -> None:
    """Without case, with either slash; POSIX paths with case."""
    paths = PathMap((Prefix(r"P:\Photos", "/mnt/photos"), Prefix("/srv/in", r"\\nas\in")))
    assert paths.here(r"p:/photos/A/b.jpg") == "/mnt/photos/A/b.jpg"
    assert paths.here("/srv/in/A/b.jpg") == r"\\nas\in\A\b.jpg"
    assert paths.here("/SRV/in/b.jpg") == "/SRV/in/b.jpg"
    assert PathMap((Prefix("/data", "P:\\"),)).here("/data/a.jpg") == r"P:\a.jpg"
    assert PathMap((Prefix("/", "/mnt/all"),)).here("/a.jpg") == "/mnt/all/a.jpg"


def test_a_name_that_windows_cannot_have_is_refused() -> None:
    """A backslash within a POSIX name would become a folder."""
    with pytest.raises(ValueError, match="no such name"):
        PathMap((Prefix("/data", "P:\\"),)).here("/data/a\\b.jpg")


@pytest.mark.parametrize("text", ["/mnt/photos", "photos=/mnt", "/mnt=photos", "=", ""])
def test_a_map_names_two_folders_from_the_root_on(text: str) -> None:
    """Anything else is told, with an example."""
    with pytest.raises(ValueError, match="such as"):
        parse_prefix(text)


def test_a_map_is_read_as_it_is_written() -> None:
    """DAEMON=HERE."""
    assert parse_prefix(r"/mnt/photos=P:\photos") == Prefix("/mnt/photos", r"P:\photos")
