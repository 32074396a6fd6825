"""What a person points at: prompts, the network that answers them, and a session of them on one photo."""
