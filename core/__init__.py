"""Photo in, cutout out: the engine that finds the subject and computes its matte."""

from mattebox.core.telemetry import forbid_telemetry

forbid_telemetry()
