"""Workers, what they do, how many of them, and the jobs on their way through them."""
