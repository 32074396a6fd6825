"""From first sight to claim: watching, scanning, settling, inspection."""
