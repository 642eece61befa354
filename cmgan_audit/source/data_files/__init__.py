"""Data files with the exact place of every value: YAML, JSON, JSON5, TOML and INI as one kind of nodes."""
