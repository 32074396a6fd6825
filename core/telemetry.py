"""What the libraries under us would report to their makers is switched off before they can be loaded."""

from __future__ import annotations

import os
import sys


def forbid_telemetry() -> None:
    """Switch the telemetry of onnxruntime and OpenVINO off, here and in every process that we start.

    `mattebox.core` does it as it is imported, which nothing of ours that loads a network can avoid.
    onnxruntime's wheels (1.32) otherwise write a device id and a database of events into the user's cache
    and upload them: only this variable, set before onnxruntime is loaded, stops all of it (its Privacy.md).
    OpenVINO reports its import to a web analytics service, without a question, unless the package
    openvino_telemetry is missing: it then takes a stand-in of its own that does nothing. A program that has
    loaded either of them before us has to do the same itself: neither can be stopped afterwards.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    # None is the import system's word for a module that is not there.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
