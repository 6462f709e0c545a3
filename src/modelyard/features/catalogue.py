"""The feature catalogue: what each feature is, where it comes from, how it is made, and why a column gives none."""

import dataclasses
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from modelyard.core import Record
from modelyard.features.dates import DateDifferenceEncoding, DateEncoding
from modelyard.features.encodings import (
    BooleanEncoding,
    CategoryEncoding,
    CategoryStyle,
    ConstantEncoding,
    Encoding,
    LeftOutEncoding,
    NumericEncoding,
)
from modelyard.features.own import OWN_FILE, OwnFeature
from modelyard.features.selection import SelectionReport
from modelyard.features.sentences import SentenceEncoding
from modelyard.features.targets import TargetEncoding
from modelyard.features.text import TextEncoding
from modelyard.features.transforms import (
    BinsEncoding,
    InteractionEncoding,
    LogEncoding,
    QuantileEncoding,
    SplineEncoding,
)

if TYPE_CHECKING:
    from modelyard.data import Roles
    from modelyard.problem import FeaturePlan

__all__ = ["FeatureEntry", "catalogue"]


@dataclasses.dataclass(frozen=True)
class FeatureEntry(Record):
    """One column of the table and what became of it.

    Parameters
    ----------
    column
        Name of the column.
    kind
        How it is read: ``numeric``, ``category``, ``boolean``, ``date``, ``text``, ``constant``, ``left out`` (by selection) or
        ``excluded``.
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
    roles: "Roles",
    *,
    declared: Collection[str] = (),
    own: Sequence[OwnFeature] = (),
    own_digest: str = "",
    selection: SelectionReport | None = None,
    plan: "FeaturePlan | None" = None,
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
    selection
        What selection did, to tell in how many folds a column was chosen.
    plan
        The project file's, to tell who decided on a transformation.
    """
    entries = {encoding.column: _entry(encoding) for encoding in encodings}
    for name in (set() if plan is None else _declared_features(plan)) & entries.keys():
        entries[name] = dataclasses.replace(entries[name], added_by="project file")
    for item in own:
        entries[item.name] = _own_entry(item, own_digest, entries[item.name])
    told = (_with_choice(entry, selection) for entry in entries.values())
    return tuple(told) + _left_out(roles, declared)


def _declared_features(plan: "FeaturePlan") -> set[str]:
    """The entries that the project file asked for."""
    return {*plan.columns, *(f"{first} × {second}" for first, second in plan.interactions)}


def _with_choice(entry: FeatureEntry, selection: SelectionReport | None) -> FeatureEntry:
    """The entry, with the number of folds that chose its column."""
    if selection is None or entry.column not in selection.times:
        return entry
    chosen = f"chosen in {selection.times[entry.column]} of {selection.folds} folds"
    return dataclasses.replace(entry, because=f"{entry.because}; {chosen}")


def _own_entry(item: OwnFeature, digest: str, entry: FeatureEntry) -> FeatureEntry:
    """The entry of a feature of the user's own: where it comes from, then how it is encoded."""
    inputs = ", ".join(column.name for column in item.inputs)
    made = f"{OWN_FILE} (version {digest[:12]}) from {inputs}; then {entry.transformation}"
    return dataclasses.replace(entry, transformation=made, added_by=item.author, because=item.meaning)


def _entry(encoding: Encoding) -> FeatureEntry:
    """The entry of an encoded column."""
    kind, transformation = _description(encoding)
    reason = "a column of the table that may be used"
    if isinstance(encoding, ConstantEncoding | LeftOutEncoding):
        reason = encoding.reason
    return FeatureEntry(encoding.column, kind, encoding.names(), transformation, "modelyard", reason)


def _description(encoding: Encoding) -> tuple[str, str]:
    """Kind and transformation in words."""
    for kind, records, words in _WORDS:
        if isinstance(encoding, records):
            return kind, words(encoding)
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


def _bent_words(encoding: QuantileEncoding | SplineEncoding | BinsEncoding | InteractionEncoding) -> str:
    """How a number is bent, or two are multiplied."""
    if isinstance(encoding, InteractionEncoding):
        scaled = zip(encoding.reads, encoding.centers, encoding.scales, strict=True)
        factors = " times ".join(f"({name} minus {center:.6g}) / {scale:.6g}" for name, center, scale in scaled)
        return f"{factors}; missing is set to {encoding.fills[0]:.6g} and {encoding.fills[1]:.6g}"
    if isinstance(encoding, BinsEncoding):
        edges = ", ".join(f"{edge:.6g}" for edge in encoding.edges)
        shape = "one feature for each bin" if encoding.one_hot else "numbered from 0"
        return f"bins that begin at {edges}, {shape}{_flag(encoding.indicator)}"
    if isinstance(encoding, QuantileEncoding):
        ends = f"from {encoding.knots[0]:.6g} to {encoding.knots[-1]:.6g}"
        said = f"its rank among the training rows as a normal score, {ends}"
    else:
        knots = ", ".join(f"{encoding.low + knot * (encoding.high - encoding.low):.6g}" for knot in encoding.knots)
        said = f"a restricted cubic spline with knots at {knots}"
    return f"{said}; {_gap_words(encoding.fill)}{_flag(encoding.indicator)}"


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


def _date_words(encoding: DateEncoding) -> str:
    """How a date is treated."""
    parts = ", ".join(part.name.replace("_", " ") for part in encoding.parts) or "none vary"
    return f"calendar parts: {parts}{_flag(encoding.indicator)}"


def _boolean_words(encoding: BooleanEncoding) -> str:
    """How a truth is treated."""
    gap = "left open" if encoding.fill is None else f"set to {encoding.fill:g}"
    return f"true is 1, false is 0; missing is {gap}{_flag(encoding.indicator)}"


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


def _left_out(roles: "Roles", declared: Collection[str]) -> tuple[FeatureEntry, ...]:
    """The target, and the columns that are no features with their reasons."""
    stated = {roles.target, roles.id, roles.group, roles.time, *declared}
    reasons = {roles.target: "it is the target", **roles.excluded}
    return tuple(
        FeatureEntry(name, "excluded", (), "not used", "project file" if name in stated else "modelyard", why)
        for name, why in reasons.items()
    )


_WORDS: tuple[tuple[str, Any, Callable[[Any], str]], ...] = (
    ("numeric", NumericEncoding, _numeric_words),
    ("numeric", LogEncoding, _log_words),
    ("numeric", QuantileEncoding | SplineEncoding | BinsEncoding | InteractionEncoding, _bent_words),
    ("category", CategoryEncoding, _category_words),
    ("category", TargetEncoding, _target_words),
    ("text", TextEncoding, _text_words),
    ("text", SentenceEncoding, _sentence_words),
    ("boolean", BooleanEncoding, _boolean_words),
    ("date", DateEncoding, _date_words),
    ("date", DateDifferenceEncoding, lambda item: f"days between the two dates; {_gap_words(item.fill)}"),
    ("left out", LeftOutEncoding, lambda _: "not used; still checked by the contract"),
)
