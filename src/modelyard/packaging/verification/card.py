"""Whether the card is of this package, and what a person still has to fill in."""

from collections.abc import Iterator, Mapping
from typing import Any

from modelyard.packaging.package import Package
from modelyard.packaging.verification.records import Check, Outcome

__all__ = ["check_card"]

_SECTIONS = (
    "identity",
    "use",
    "data",
    "method",
    "performance",
    "limitations",
    "decisions",
    "operation",
    "environment",
)
_IDENTITY = ("name", "version", "author", "modelyard_version", "code_commit", "run_id")
_BY_PEOPLE = {
    "identity: owner": ("identity", "owner"),
    "identity: contact": ("identity", "contact"),
    "identity: escalation": ("identity", "escalation"),
    "identity: code commit": ("identity", "code_commit"),
    "use: objective": ("use", "objective"),
    "use: users": ("use", "users"),
    "use: out of scope": ("use", "out_of_scope"),
    "data: collection": ("data", "collection"),
    "data: known biases": ("data", "known_biases"),
    "data: protected columns": ("data", "protected"),
}
"""Fields that only a person can fill, as the card calls them when they are empty."""


def check_card(package: Package) -> Check:
    """The card speaks of this package and hides no empty field; which are empty stands in the details."""
    card = package.read_json("card.json")
    wrong = (*_strange(card, package), *_hidden(card))
    if wrong:
        return Check.of("card", "", wrong)
    empty = tuple(card["not_provided"])
    if not empty:
        return Check("card", Outcome.PASSED, "complete")
    fields = "1 field is" if len(empty) == 1 else f"{len(empty)} fields are"
    return Check("card", Outcome.INCOMPLETE, f"{fields} empty, which only a person can fill", empty)


def _strange(card: Mapping[str, Any], package: Package) -> Iterator[str]:
    """Sections and renderings that are missing, and an identity that is another package's."""
    yield from (f"card.json has no section {name}" for name in _SECTIONS if name not in card)
    yield from (f"{name} is missing" for name in ("card.md", "card.html") if name not in package.manifest.files)
    manifest = package.manifest.to_dict()
    for field in (*_IDENTITY, "created_at"):
        if card["identity"][field] != manifest[field]:
            yield f"the card's {field} is {card['identity'][field]!r}, the manifest's {manifest[field]!r}"
    if card["identity"]["classes"] != package.read_json("plan.json")["classes"]:
        yield "the card's classes are not those of plan.json"


def _hidden(card: Mapping[str, Any]) -> Iterator[str]:
    """Fields that are empty and are not listed as such."""
    for name, (section, field) in _BY_PEOPLE.items():
        if not card[section][field] and name not in card["not_provided"]:
            yield f"{name} is empty, and the card does not say so"
