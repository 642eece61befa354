"""Training logs: one reader per format, series and their roles, symptoms."""
