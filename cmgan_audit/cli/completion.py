"""What a shell offers behind an option (`cmgan-audit --install-completion`)."""

from __future__ import annotations

from collections.abc import Callable

Offer = Callable[[str], list[tuple[str, str]]]


def offering(*words: str) -> Offer:
    """An offer of fixed words."""

    def offer(incomplete: str) -> list[tuple[str, str]]:
        return [(word, "") for word in words if word.startswith(incomplete)]

    return offer


def offer_rules(incomplete: str) -> list[tuple[str, str]]:
    """The rules, behind those that a list with commas has already."""
    from cmgan_audit.rules.catalogue import load_catalogue

    before, comma, begun = incomplete.rpartition(",")
    known = load_catalogue(examples=False)
    by_id = [(f"{before}{comma}{rule.id}", rule.name) for rule in known if rule.id.startswith(begun.upper())]
    by_name = [(f"{before}{comma}{rule.name}", rule.summary) for rule in known if rule.name.startswith(begun) and begun]
    return by_id or by_name
