"""What networks say of a photo: its small copy, their predictions, fusion, the choice of subject."""
