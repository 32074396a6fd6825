"""One module a format; `write_output` picks it by the output's format.

Each module offers `write(composition, options, path)`, which writes one complete file and may return
sentences for the report.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from mattebox.core.composition import Composition
    from mattebox.core.settings import Output


def write_output(composition: Composition, output: Output, path: Path) -> tuple[str, ...]:
    """Write `composition` to `path` in the format of `output`; returns notes for the report.

    Raises WriteError where the file cannot be written, SettingsError where the format cannot hold it.
    """
    # Imported on use: a command that writes a PNG never loads psd-tools.
    notes: tuple[str, ...] | None = import_module(f"mattebox.core.write.{output.format}").write(
        composition, output, path
    )
    return notes or ()
