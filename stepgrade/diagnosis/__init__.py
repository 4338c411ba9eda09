"""Tells which known mistake explains a submission's numbers: `diagnose` is the way in."""
