"""The feature catalogue: what each feature is, where it comes from, how it is made, and why a column gives none."""

import dataclasses
from collections.abc import Collection, Sequence

from modelyard.core import Record
from modelyard.data import Roles
from modelyard.features.encodings import (
    BooleanEncoding,
    CategoryEncoding,
    CategoryStyle,
    ConstantEncoding,
    DateEncoding,
    Encoding,
    NumericEncoding,
)

__all__ = ["FeatureEntry", "catalogue"]


@dataclasses.dataclass(frozen=True)
class FeatureEntry(Record):
    """One column of the table and what became of it.

    Parameters
    ----------
    column
        Name of the column.
    kind
        How it is read: ``numeric``, ``category``, ``boolean``, ``date``, ``constant`` or ``excluded``.
    features
        Names of the features made from it, in the matrix's order; empty if there are none.
    transformation
        How values become features, in one sentence.
    added_by
        Who decided: ``modelyard`` for a rule of the software, ``project file`` for a declared choice.
    because
        Why, in one sentence.
    """

    column: str
    kind: str
    features: tuple[str, ...]
    transformation: str
    added_by: str
    because: str


def catalogue(
    encodings: Sequence[Encoding], roles: Roles, *, declared: Collection[str] = ()
) -> tuple[FeatureEntry, ...]:
    """Entries for every encoded column, in order, then for every column that is deliberately left out.

    Parameters
    ----------
    encodings
        The fitted encodings.
    roles
        What each column is for.
    declared
        Columns that the project file excludes (``problem.data.exclude``), to tell who decided.
    """
    return tuple(_entry(encoding) for encoding in encodings) + _left_out(roles, declared)


def _entry(encoding: Encoding) -> FeatureEntry:
    """The entry of an encoded column."""
    kind, transformation = _description(encoding)
    reason = encoding.reason if isinstance(encoding, ConstantEncoding) else "a column of the table that may be used"
    return FeatureEntry(encoding.column, kind, encoding.names(), transformation, "modelyard", reason)


def _description(encoding: Encoding) -> tuple[str, str]:
    """Kind and transformation in words."""
    if isinstance(encoding, NumericEncoding):
        return "numeric", _numeric_words(encoding)
    if isinstance(encoding, CategoryEncoding):
        return "category", _category_words(encoding)
    if isinstance(encoding, BooleanEncoding):
        gap = "left open" if encoding.fill is None else f"set to {encoding.fill:g}"
        return "boolean", f"true is 1, false is 0; missing is {gap}{_flag(encoding.indicator)}"
    if isinstance(encoding, DateEncoding):
        parts = ", ".join(part.name.replace("_", " ") for part in encoding.parts) or "none vary"
        return "date", f"calendar parts: {parts}{_flag(encoding.indicator)}"
    return "constant", "dropped"


def _numeric_words(encoding: NumericEncoding) -> str:
    """How a number is treated."""
    gap = "missing is left open" if encoding.fill is None else f"missing is set to {encoding.fill:.6g}"
    if (encoding.center, encoding.scale) == (0.0, 1.0):
        return f"as it is; {gap}{_flag(encoding.indicator)}"
    return f"minus {encoding.center:.6g}, divided by {encoding.scale:.6g}; {gap}{_flag(encoding.indicator)}"


def _category_words(encoding: CategoryEncoding) -> str:
    """How a category is treated."""
    if encoding.style is CategoryStyle.CODES:
        gap = "left open" if encoding.missing_code is None else f"{encoding.missing_code:g}"
        return f"{len(encoding.levels):,} levels numbered by frequency; missing or unseen is {gap}"
    rare = f", {len(encoding.infrequent):,} infrequent levels together" if encoding.infrequent else ""
    return f"one feature for each of {len(encoding.levels):,} levels{rare}{_flag(encoding.indicator)}"


def _flag(indicator: bool) -> str:
    """The half-sentence on the missing flag."""
    return "; one feature tells whether it is missing" if indicator else ""


def _left_out(roles: Roles, declared: Collection[str]) -> tuple[FeatureEntry, ...]:
    """The target, and the columns that are no features with their reasons."""
    stated = {roles.target, roles.id, roles.group, roles.time, *declared}
    reasons = {roles.target: "it is the target", **roles.excluded}
    return tuple(
        FeatureEntry(name, "excluded", (), "not used", "project file" if name in stated else "modelyard", why)
        for name, why in reasons.items()
    )
