"""Proves assignments before their release: `prove` is the way in."""
