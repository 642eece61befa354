"""Scores as rows: the table, the store that keeps it, and scores that other programs computed."""
