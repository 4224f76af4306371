"""Sends the year of purchases through the system's own front doors: the proof that it works."""
