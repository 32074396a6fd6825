"""What the engine says about its own matte: features, confidence, warnings."""
