"""Says to a student where their run leaves the path, and why: `explain` is the way in."""
