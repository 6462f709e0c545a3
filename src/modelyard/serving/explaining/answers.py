"""An explanation as callers get it, and in words."""

from collections.abc import Mapping
from typing import Any

import msgspec

from modelyard.packaging.explaining import Reasons

__all__ = ["Explanation", "FieldContribution", "explanation_of"]

_TOLD = 3
_TEXT_CHARACTERS = 60


class FieldContribution(msgspec.Struct, frozen=True):
    """A field of the row, its value, and what it adds to the score of an average row."""

    field: str
    value: Any
    amount: float


class Explanation(msgspec.Struct, frozen=True):
    """Why a row got its score; ``baseline`` and the amounts add up to ``raw_score``.

    The other fields are those of :class:`modelyard.packaging.explaining.Reasons`.
    """

    summary: str
    contributions: tuple[FieldContribution, ...]
    baseline: float
    raw_score: float
    scale: str
    method: str
    explained_class: str


def explanation_of(row: Mapping[str, Any], reasons: Reasons) -> Explanation:
    """The explanation of one row."""
    return Explanation(
        summary=_in_words(row, reasons),
        contributions=tuple(
            FieldContribution(item.column, row.get(item.column), item.amount) for item in reasons.contributions
        ),
        baseline=reasons.baseline,
        raw_score=reasons.raw_score,
        scale=reasons.scale,
        method=reasons.method,
        explained_class=reasons.explained_class,
    )


def _in_words(row: Mapping[str, Any], reasons: Reasons) -> str:
    """The largest contributions as one sentence."""
    what = f"the {reasons.scale} of {reasons.explained_class}" if reasons.explained_class else "the value"
    told = [item for item in reasons.contributions[:_TOLD] if item.amount]
    if not told:
        return f"No field moves {what} away from {reasons.baseline:.3g}, that of an average row."
    parts = [
        f"{item.column} = {_shown(row.get(item.column))} {'raises' if item.amount > 0 else 'lowers'} it by {abs(item.amount):.3g}"
        for item in told
    ]
    return f"An average row has {reasons.baseline:.3g} as {what}, this one {reasons.raw_score:.3g}: {'; '.join(parts)}."


def _shown(value: Any) -> str:
    """A value for people, shortened."""
    if value is None:
        return "missing"
    text = str(value)
    return text if len(text) <= _TEXT_CHARACTERS else f"{text[: _TEXT_CHARACTERS - 1]}…"
