"""stepgrade: an auto-graded course on optimization with PyTorch, and the engine that grades it."""

__version__ = "0.1.0"
