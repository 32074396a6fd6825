"""From a small probability map to alpha and clean colours at the photo's full resolution."""
