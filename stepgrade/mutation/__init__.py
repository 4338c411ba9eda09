"""Programs that differ from a right one by one small edit, as those who learn make them, and what each part is for."""
