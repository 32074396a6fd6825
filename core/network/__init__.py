"""A file of weights that runs: devices, runtimes, quantisation."""
