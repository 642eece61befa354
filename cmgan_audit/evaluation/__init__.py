"""Pairs, segments, models, metrics, workers, the score store and its guards."""
