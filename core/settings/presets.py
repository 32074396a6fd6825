"""Named presets: a few lines of YAML that the other finish settings override."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from mattebox.core.settings.explain import nearest

_FOLDER: Final = Path(__file__).parent / "preset-files"
_LARGEST: Final = 64_000


def preset_names() -> list[str]:
    """The presets that come along."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def preset_file(name: str, base: Path | None = None) -> Path:
    """The file of a preset: one that comes along, or a path (relative to `base`). Raises ValueError."""
    if name in preset_names():
        return _FOLDER / f"{name}.yaml"
    path = (base or Path()) / name
    if path.suffix.lower() in {".yaml", ".yml"} and path.is_file():
        return path
    hint = nearest(name, preset_names())
    own = "" if hint.endswith("?") else ", or name a .yaml file of your own"
    raise ValueError(f"there is no preset {name!r}{hint}{own}")


def load_preset(name: str, base: Path | None = None) -> dict[str, Any]:
    """The settings of a preset. Raises ValueError where there is none or it is no mapping."""
    path = preset_file(name, base)
    if path.stat().st_size > _LARGEST:
        raise ValueError(f"the preset {path} is larger than {_LARGEST} bytes")
    import yaml  # noqa: PLC0415 - a photo without a preset needs none

    try:
        with path.open("rb") as file:
            data = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise ValueError(f"the preset {path} is no YAML{where}") from error
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise ValueError(f"the preset {path} is no mapping of finish settings")
    if "preset" in data:
        raise ValueError(f"the preset {path} names another preset; write its settings out")
    return data
