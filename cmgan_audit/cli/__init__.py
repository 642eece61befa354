"""One module per command: parses, calls, prints; no logic, and nothing heavy is imported before it is needed."""
