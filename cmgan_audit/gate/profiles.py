"""Profiles meet records: what a published training has beside each setting of the audited one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cmgan_audit.errors import UsageError
from cmgan_audit.facts.hyperparameters.records import Hyperparameter
from cmgan_audit.gate.settings import Settings, check_parameters
from cmgan_audit.rules.catalogue import Catalogue
from cmgan_audit.rules.profile import Profile, find_profile
from cmgan_audit.rules.record import Known, Record
from cmgan_audit.rules.rule import ParameterValue


def profile_of(settings: Settings) -> Profile | None:
    """The profile that the settings name, None where they name none.

    Raises:
        UsageError: there is none of that name, or it does not follow the schema.
    """
    if not settings.profile:
        return None
    from cmgan_audit.rules.profile_schema import read_profile

    return read_profile(find_profile(settings.profile, settings.folder))


def with_references(records: Iterable[Record], profile: Profile | None) -> list[Record]:
    """Put the profile's values beside the settings of a training; settings that it does not name are left out."""
    found: list[Record] = []
    for record in records:
        if not isinstance(record, Hyperparameter):
            found.append(record)
        elif profile is not None and record.name in profile.values:
            reference = profile.values[record.name]
            found.append(
                replace(record, reference=Known(reference.value), profile=profile.name, source=reference.source)
            )
    return found


def parameters_of(profile: Profile | None, catalogue: Catalogue) -> Mapping[str, Mapping[str, ParameterValue]]:
    """What a profile sets in place of the rules' own parameters, by rule id.

    Raises:
        UsageError: a rule, a parameter or its value is not legal.
    """
    if profile is None:
        return {}
    found: dict[str, Mapping[str, ParameterValue]] = {}
    for word, values in profile.parameters.items():
        place = f"{profile.path}: rules.{word}"
        if "severity" in values:
            raise UsageError(f"{place}.severity: a profile sets parameters; severities belong to a project's settings")
        found[check_parameters(place, word, values, catalogue).id] = values
    return found
