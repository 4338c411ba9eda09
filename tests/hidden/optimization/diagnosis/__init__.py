"""What neither a replay nor one constant can say of this lesson: the engine asks `explain` first.

It knows the rule v ← m v + g, x ← x − rate v, the ways in which people schedule a rate, and torch's own messages.
"""

from .lesson import explain

__all__ = ["explain"]
