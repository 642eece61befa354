"""Command lines: what a program lets a launch say, by whichever library, and what a launch says."""
