"""From a finished job to its end: publishing, reasons, reviews."""
