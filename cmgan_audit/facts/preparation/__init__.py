"""How signals are prepared for a network, and its output is turned back: in its training and where it is evaluated."""
