"""Hot folders."""
