"""Checkpoint files that lie in the tree, held against the settings that the code trains with now."""
