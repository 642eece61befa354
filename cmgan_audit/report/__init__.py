"""One module per output format, plots and pages."""
