"""Metrics are computed in separate processes, one core each."""
