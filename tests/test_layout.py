"""The house: listed packages equal the tree, links lead home, arrows run downhill and never in a circle."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("cli", "core", "daemon", "gimp_plugin", "models", "web")
ALLOWED = {
    "cli": {"cli", "web", "daemon", "gimp_plugin", "core", "models"},
    "web": {"web", "daemon", "core"},
    "daemon": {"daemon", "core"},
    "gimp_plugin": {"gimp_plugin", "core"},
    "core": {"core", "models"},
    "models": {"models"},
}
# The floors of the rooms that have wings, from the ground up. A wing is a sub-package, or a module beside
# one, and imports from floors below its own alone, also where only a type checker looks.
FLOORS = {
    "core": (
        ("errors", "process", "extra", "telemetry", "names", "text"),
        ("settings", "publish"),
        ("photo", "network"),
        ("patched", "parallel"),
        ("segment", "composition"),
        ("report", "write"),
        ("cutout",),
        ("matte", "finish"),
        ("matting",),
        ("session",),
        ("engine",),
        ("job_report",),
        ("job",),
        ("lanes",),
        ("batch",),
    ),
    "daemon": (
        ("errors", "events", "inbox", "service"),
        ("guard",),
        ("journal",),
        ("config",),
        ("intake",),
        ("delivery",),
        ("work",),
        ("report",),
        ("simulate", "periodic"),
        ("loop",),
        ("run",),
        ("serve",),
    ),
    "web": (
        ("errors",),
        ("server", "policy"),
        ("table", "service"),
    ),
    "gimp_plugin": (
        ("profiles", "rendezvous", "selected", "sent"),
        ("cut",),
        ("open_photo",),
        ("install", "connection"),
        ("doctor", "host"),
    ),
}
# GIMP runs this folder's files itself; it is data of the room, not a package.
PLUGIN_FOLDER = Path("gimp_plugin/mattebox")


def sources(room: str) -> list[Path]:
    """All Python files of a room."""
    return sorted((ROOT / room).rglob("*.py"))


def imported_rooms(path: Path) -> set[str]:
    """The rooms that a file imports from anywhere, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = [node.module or ""]
            if node.module == "mattebox":
                names = [f"mattebox.{alias.name}" for alias in node.names]
        for name in names:
            first, _, rest = name.partition(".")
            if first == "mattebox" and rest:
                found.add(rest.partition(".")[0])
            assert first not in ROOMS, f"{path}: {name} is named without mattebox"
    return found


def modules() -> dict[str, Path]:
    """Every module of every room by its dotted name; a package is its __init__.py."""
    return {
        ".".join(("mattebox", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
        for room in ROOMS
        for path in sources(room)
        if PLUGIN_FOLDER not in path.relative_to(ROOT).parents
    }


def arrows() -> dict[str, set[str]]:
    """Which modules each module imports anywhere, inside functions and for type checkers too."""
    known = modules()
    found: dict[str, set[str]] = {}
    for module, path in known.items():
        names: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                whole = {f"{node.module}.{alias.name}" for alias in node.names}
                names |= whole | ({node.module} if whole - set(known) else set())
        found[module] = (names & set(known)) - {module}
    return found


def test_listed_packages_equal_the_tree() -> None:
    """Pyproject lists exactly the folders with an __init__.py, each at its place."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    tree = {
        "mattebox." + ".".join(init.parent.relative_to(ROOT).parts)
        for room in ROOMS
        for init in (ROOT / room).rglob("__init__.py")
    }
    assert set(settings["packages"]) == tree
    assert settings["package-dir"] == {
        name: name.removeprefix("mattebox.").replace(".", "/") for name in tree
    }


@pytest.mark.parametrize("room", ROOMS)
def test_every_folder_of_code_is_a_package(room: str) -> None:
    """A Python file that stands in a folder without an __init__.py would be missing from the wheel."""
    loose = [
        path
        for path in sources(room)
        if not (path.parent / "__init__.py").exists() and PLUGIN_FOLDER not in path.relative_to(ROOT).parents
    ]
    assert loose == []


@pytest.mark.parametrize("room", ROOMS)
def test_type_checker_links_lead_to_the_rooms(room: str) -> None:
    """.src/mattebox/ROOM is a relative link to the room, so that a clone works anywhere."""
    link = ROOT / ".src" / "mattebox" / room
    assert link.readlink() == Path("../..") / room
    assert link.resolve() == ROOT / room


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_run_downhill(room: str) -> None:
    """No room imports from one that DESIGN puts above or beside it."""
    uphill = {
        str(path.relative_to(ROOT)): wrong
        for path in sources(room)
        if (wrong := imported_rooms(path) - ALLOWED[room])
    }
    assert uphill == {}


@pytest.mark.parametrize("room", FLOORS)
def test_every_wing_stands_on_one_floor(room: str) -> None:
    """FLOORS names each sub-package and each module beside them once, and nothing else."""
    tree = {name.split(".")[2] for name in modules() if name.startswith(f"mattebox.{room}.")}
    assert sorted(wing for floor in FLOORS[room] for wing in floor) == sorted(tree)


@pytest.mark.parametrize("room", FLOORS)
def test_arrows_between_wings_run_downhill(room: str) -> None:
    """No wing imports from one on its own floor or above."""
    floor = {wing: level for level, wings in enumerate(FLOORS[room]) for wing in wings}
    uphill = [
        f"{module} -> {target}"
        for module, targets in arrows().items()
        for target in targets
        if module.startswith(f"mattebox.{room}.") and target.startswith(f"mattebox.{room}.")
        if (start := module.split(".")[2]) != (end := target.split(".")[2]) and floor[start] <= floor[end]
    ]
    assert uphill == []


def test_no_imports_run_in_a_circle() -> None:
    """From no module do imports lead back to it, however far, those for type checkers too."""
    found = arrows()
    circles = set()
    for start in found:
        path, trail, seen = [start], [iter(sorted(found[start]))], {start}
        while trail:
            step = next(trail[-1], None)
            if step is None:
                trail.pop()
                path.pop()
            elif step == start:
                turn = path.index(min(path))
                circles.add(" -> ".join([*path[turn:], *path[:turn], min(path)]))
            elif step not in seen:
                seen.add(step)
                path.append(step)
                trail.append(iter(sorted(found[step])))
    assert sorted(circles) == []


def test_plugin_files_import_the_standard_library_and_gi_alone() -> None:
    """What GIMP runs needs nothing that GIMP's own Python lacks."""
    import sys

    own = {path.stem for path in (ROOT / PLUGIN_FOLDER).glob("*.py")}
    for path in (ROOT / PLUGIN_FOLDER).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                first = name.partition(".")[0]
                assert first in sys.stdlib_module_names | own | {"gi", "__future__"}, f"{path}: {name}"


def test_no_module_is_several_rooms_in_one() -> None:
    """A module above 350 lines has more than one reason to change."""
    long = {
        str(path.relative_to(ROOT)): count
        for room in ROOMS
        for path in sources(room)
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 350
    }
    assert long == {}
