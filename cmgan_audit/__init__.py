"""cmgan-audit: training diagnostics and regression audit for speech-enhancement networks of the CMGAN kind."""

__version__ = "0.1.0"
