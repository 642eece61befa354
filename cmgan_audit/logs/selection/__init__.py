"""Which series of a run are judged, and what has to be said about a series before it is."""
