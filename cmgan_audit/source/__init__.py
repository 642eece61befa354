"""Files on disk become parsed files: discovery, Python, notebooks, data files with positions, launch lines."""
