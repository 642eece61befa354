"""Paired comparison, sequential looks, crop noise, trends: pure functions on arrays."""
