"""Text logs: what a line says is worked out once per shape of a line, and used for all lines of that shape."""
