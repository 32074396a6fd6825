"""The HTTP service: photos are posted, cutouts come back."""
