"""The light table: cutouts are looked at, decided and mended in a browser on this machine."""
