"""Files on disk, parsed: discovery, Python, notebooks, YAML / JSON / TOML / INI, shell launchers."""
