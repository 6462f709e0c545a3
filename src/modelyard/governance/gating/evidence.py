"""What a package shows to the gates: its own checks, its card, the gaps between groups."""

from collections.abc import Mapping
from typing import Any

from modelyard.governance.gating.records import Evidence
from modelyard.packaging import Package
from modelyard.problem import Task

__all__ = ["gather"]

_RATES = ("true positive rate", "false positive rate")
"""Equalised odds (Hardt, Price and Srebro, 2016): a difference in the share called positive may be one in what is true."""


def gather(package: Package, digest: str) -> Evidence:
    """All that can be told from the bytes of a package, which are verified on the way.

    Parameters
    ----------
    digest
        What the registry knows of it.
    """
    from modelyard.packaging.card.completeness import FIELDS_FOR_PEOPLE, completeness
    from modelyard.packaging.verification import Outcome, verify_package

    card = package.read_json("card.json")
    checks = verify_package(package.folder, digest=digest).checks
    wrong = tuple(f"{item.name}: {item.said}" for item in checks if item.outcome in (Outcome.FAILED, Outcome.SKIPPED))
    gap, words = _gap(card)
    return Evidence(
        failed=wrong,
        opened_test=bool(card["performance"]["test"]),
        card=completeness(card),
        empty=tuple(name for name in card["not_provided"] if name in FIELDS_FOR_PEOPLE),
        gap=gap,
        gap_words=words,
        gap_applies=card["identity"]["task"] == Task.BINARY.value,
    )


def _gap(card: Mapping[str, Any]) -> tuple[float | None, str]:
    """The largest gap in rates of errors, with its place; else why there is none."""
    if not card["data"]["protected"]:
        return None, "no column is declared as protected"
    gaps = [item for item in card["performance"]["disparities"] if item["measure"] in _RATES]
    if not gaps:
        return None, "no two groups of a protected column are large enough"
    widest = max(gaps, key=lambda item: float(item["gap"]))
    place = f"{widest['measure']} of {widest['column']}: {widest['lowest']} to {widest['highest']}"
    return float(widest["gap"]), place
