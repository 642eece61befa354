"""Checkpoint files: read without running anything in them, weights found whatever the wrapping, names understood."""
