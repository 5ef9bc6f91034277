"""Charts: from the table of a figure to its drawing, one module a chapter."""
