"""Passes over loaders: the modes of the networks in them, what learns, and what is accumulated."""
