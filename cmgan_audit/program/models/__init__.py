"""What libraries do with the values they are given: one module per library, found by qualified name."""

from cmgan_audit.program.models import (
    argparse_options,
    argparse_parsing,
    click_,
    config_files,
    configparser_,
    files,
    function_command_lines,
    handing_through,
    hydra_,
    hyperpyyaml_,
    lightning_,
    mappings,
    omegaconf_,
    parallel,
    running,
    speechbrain_,
)

__all__ = [
    "argparse_options",
    "argparse_parsing",
    "click_",
    "config_files",
    "configparser_",
    "files",
    "function_command_lines",
    "handing_through",
    "hydra_",
    "hyperpyyaml_",
    "lightning_",
    "mappings",
    "omegaconf_",
    "parallel",
    "running",
    "speechbrain_",
]
