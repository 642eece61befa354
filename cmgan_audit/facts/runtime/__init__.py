"""What surrounds the arithmetic of a training: seeds, devices, roots at zero, spectra, options of the command line."""
