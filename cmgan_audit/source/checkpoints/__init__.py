"""Checkpoint files that lie in a tree: found, and their plain values read, without torch and without running them."""
