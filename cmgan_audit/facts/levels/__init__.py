"""The level of signals: scaled by a factor that was computed from data, or as the loader gives them."""
