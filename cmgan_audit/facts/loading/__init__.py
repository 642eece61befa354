"""Loaders and what they load: role, batch, sampler, items, and where a random draw can pick a segment."""
