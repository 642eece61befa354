"""Short-time spectra: how they are computed, and in which form they are kept."""
