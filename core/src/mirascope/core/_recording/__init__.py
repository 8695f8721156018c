"""Streams written down: the format, what writes it, and sources that are recorded."""
