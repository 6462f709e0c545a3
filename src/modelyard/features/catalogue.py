"""The feature catalogue: what each feature is, where it comes from, how it is made, and why a column gives none."""

import dataclasses
from collections.abc import Collection, Sequence

from modelyard.core import Record
from modelyard.data import Roles
from modelyard.features.dates import DateDifferenceEncoding, DateEncoding
from modelyard.features.encodings import (
    BooleanEncoding,
    CategoryEncoding,
    CategoryStyle,
    ConstantEncoding,
    Encoding,
    NumericEncoding,
)
from modelyard.features.own import OWN_FILE, OwnFeature
from modelyard.features.sentences import SentenceEncoding
from modelyard.features.skew import LogEncoding
from modelyard.features.targets import TargetEncoding
from modelyard.features.text import TextEncoding

__all__ = ["FeatureEntry", "catalogue"]


@dataclasses.dataclass(frozen=True)
class FeatureEntry(Record):
    """One column of the table and what became of it.

    Parameters
    ----------
    column
        Name of the column.
    kind
        How it is read: ``numeric``, ``category``, ``boolean``, ``date``, ``text``, ``constant`` or ``excluded``.
    features
        Names of the features made from it, in the matrix's order; empty if there are none.
    transformation
        How values become features, in one sentence.
    added_by
        Who decided: ``modelyard`` for a rule of the software, ``project file`` for a declared choice, the author's name
        for a feature of the user's own.
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
    encodings: Sequence[Encoding],
    roles: Roles,
    *,
    declared: Collection[str] = (),
    own: Sequence[OwnFeature] = (),
    own_digest: str = "",
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
    own, own_digest
        Features of the user's own, and the digest of their source.
    """
    entries = {encoding.column: _entry(encoding) for encoding in encodings}
    for item in own:
        entries[item.name] = _own_entry(item, own_digest, entries[item.name])
    return tuple(entries.values()) + _left_out(roles, declared)


def _own_entry(item: OwnFeature, digest: str, entry: FeatureEntry) -> FeatureEntry:
    """The entry of a feature of the user's own: where it comes from, then how it is encoded."""
    inputs = ", ".join(column.name for column in item.inputs)
    made = f"{OWN_FILE} (version {digest[:12]}) from {inputs}; then {entry.transformation}"
    return dataclasses.replace(entry, transformation=made, added_by=item.author, because=item.meaning)


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
    if isinstance(encoding, TextEncoding):
        return "text", _text_words(encoding)
    if isinstance(encoding, SentenceEncoding):
        return "text", _sentence_words(encoding)
    if isinstance(encoding, LogEncoding):
        return "numeric", _log_words(encoding)
    if isinstance(encoding, TargetEncoding):
        return "category", _target_words(encoding)
    if isinstance(encoding, DateDifferenceEncoding):
        return "date", f"days between the two dates; {_gap_words(encoding.fill)}"
    if isinstance(encoding, BooleanEncoding):
        gap = "left open" if encoding.fill is None else f"set to {encoding.fill:g}"
        return "boolean", f"true is 1, false is 0; missing is {gap}{_flag(encoding.indicator)}"
    if isinstance(encoding, DateEncoding):
        parts = ", ".join(part.name.replace("_", " ") for part in encoding.parts) or "none vary"
        return "date", f"calendar parts: {parts}{_flag(encoding.indicator)}"
    return "constant", "dropped"


def _numeric_words(encoding: NumericEncoding) -> str:
    """How a number is treated."""
    gap = _gap_words(encoding.fill)
    if (encoding.center, encoding.scale) == (0.0, 1.0):
        return f"as it is; {gap}{_flag(encoding.indicator)}"
    return f"minus {encoding.center:.6g}, divided by {encoding.scale:.6g}; {gap}{_flag(encoding.indicator)}"


def _gap_words(fill: float | None) -> str:
    """What stands for a missing number."""
    return "missing is left open" if fill is None else f"missing is set to {fill:.6g}"


def _log_words(encoding: LogEncoding) -> str:
    """How a skewed number is treated."""
    scaling = f"minus {encoding.center:.6g}, divided by {encoding.scale:.6g}"
    logarithm = f"log(1 + value / {encoding.unit:.6g}) as it is skewed"
    return f"{logarithm}, {scaling}; {_gap_words(encoding.fill)}{_flag(encoding.indicator)}"


def _target_words(encoding: TargetEncoding) -> str:
    """How a category with many levels is treated."""
    overall = ", ".join(f"{mean:.6g}" for mean in encoding.other)
    return (
        f"the target's mean in each of {len(encoding.levels):,} levels, drawn towards the overall {overall}, "
        "cross-fitted in training; unseen is the overall mean"
    )


def _text_words(encoding: TextEncoding) -> str:
    """How free text is treated."""
    terms = f"TF-IDF of the {len(encoding.terms):,} most widespread words and pairs of words"
    return f"{terms}, and the length's logarithm{_flag(encoding.indicator)}; other words are not seen"


def _sentence_words(encoding: SentenceEncoding) -> str:
    """How sentences are treated."""
    encoder = f"{encoding.encoder} {encoding.version} (digest {encoding.digest[:12]})"
    return f"{encoding.width} numbers of {encoder}; a missing text is 0 in all"


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
