c = get_config()  # noqa: F821 -- nbgrader defines it; this file only points to the one that an instructor edits
load_subconfig("course_config.py")  # noqa: F821
