"""Workers on other machines: a Dask cluster as the hands, the daemon's journal as the only memory."""
