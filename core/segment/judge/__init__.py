"""The judge: a promptable network that says of whole parts whether they belong to the subject."""
