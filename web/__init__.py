"""What a browser and scripts reach over HTTP: the light table and the service (extra `web`)."""
