"""Shows a whole class to a person: `report` reads it, `page` lays it out."""
