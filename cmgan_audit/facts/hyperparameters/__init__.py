"""The settings of a training as they reach optimisers, schedulers, loaders, spectra and losses."""
