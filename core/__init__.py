"""Photo in, cutout out: the engine that finds the subject and computes its matte."""
