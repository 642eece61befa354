"""Fixes of findings as exact text edits: a fixer per rule, and the engine that applies edits and nothing else."""
