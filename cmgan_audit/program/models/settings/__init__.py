"""Settings that libraries read from files and compose: Hydra, OmegaConf, HyperPyYAML, yacs, configparser."""
