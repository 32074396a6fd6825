"""The `mattebox` command, one file per sub-command."""
