"""What an audit gives: findings, and facts about every column."""

import dataclasses
import datetime as dt
import itertools

from modelyard.core import Finding, Record
from modelyard.data import Correction

__all__ = [
    "Acknowledgement",
    "Associations",
    "AuditReport",
    "ColumnFacts",
    "GapPattern",
    "LabelSuspect",
    "LevelShare",
    "SkippedCheck",
]


@dataclasses.dataclass(frozen=True)
class LevelShare(Record):
    """A frequent value of a column and the share of rows that have it."""

    value: str
    share: float


@dataclasses.dataclass(frozen=True)
class ColumnFacts(Record):
    """One column of the training part, in numbers.

    Parameters
    ----------
    name, kind
        As in the schema.
    role
        ``feature``, ``target``, or why the column is not a feature.
    missing
        Share of rows without a value, 0 to 1.
    distinct
        Number of different values, missing ones not counted.
    mean, sd
        Of numbers and of booleans (as 0 and 1); None for other kinds, or if there is no value.
    quantiles
        Values at the 0, 5, 25, 50, 75, 95 and 100 % ranks of numbers; of dates, in days since 1 January 1970.
    counts
        Rows in equal-width bins between the first and the last quantile (at most 20); for a sketch of the
        distribution. Empty for categories.
    top
        The most frequent values with their shares, at most five; for categories, booleans and text.
    zeros
        Share of the present numbers that are exactly zero; None for other kinds.
    skewness
        Third standardised moment of numbers without the outermost 0.5 % on each side; None for other kinds, or if
        there is no spread.
    score
        How well the column alone predicts the target in rows held out: ROC AUC for classes (macro, one against
        the rest), R² for numbers. None for columns that are not features.
    """

    name: str
    kind: str
    role: str
    missing: float
    distinct: int
    mean: float | None = None
    sd: float | None = None
    quantiles: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    top: tuple[LevelShare, ...] = ()
    zeros: float | None = None
    skewness: float | None = None
    score: float | None = None


@dataclasses.dataclass(frozen=True)
class Associations(Record):
    """A symmetric table of strengths.

    Parameters
    ----------
    columns
        Features, those that tell most about the target first; at most 30.
    strengths
        By column, then column: 0 for independence, 1 if each tells the other; the diagonal is 1.
    """

    columns: tuple[str, ...]
    strengths: tuple[tuple[float, ...], ...]

    def pairs(self, at_least: float) -> tuple[tuple[str, str, float], ...]:
        """Pairs of columns at least that strong, strongest first."""
        found = [
            (first, second, self.strengths[i][j])
            for (i, first), (j, second) in itertools.combinations(enumerate(self.columns), 2)
            if self.strengths[i][j] >= at_least
        ]
        return tuple(sorted(found, key=lambda pair: -pair[2]))


@dataclasses.dataclass(frozen=True)
class GapPattern(Record):
    """Columns that are missing in the same rows, and in how many.

    Parameters
    ----------
    columns
        Exactly these have no value; empty for the rows without a gap.
    rows
        Number of such rows.
    """

    columns: tuple[str, ...]
    rows: int


@dataclasses.dataclass(frozen=True)
class SkippedCheck(Record):
    """A check that could not run, by its id, and why."""

    check: str
    reason: str


@dataclasses.dataclass(frozen=True)
class LabelSuspect(Record):
    """A row whose label or number a model, trained on other rows, contradicts.

    Parameters
    ----------
    position
        Place of the row in the training part, from 0.
    key
        The row's declared id; ``""`` if none is declared.
    given, suggested
        The label that it has, and the one that the model would give.
    probability_given, probability_suggested
        Held-out probabilities of the two; None for numbers.
    distance
        How far a number lies from the suggested one, in robust standard deviations; None for classes.
    """

    position: int
    key: str
    given: str
    suggested: str
    probability_given: float | None = None
    probability_suggested: float | None = None
    distance: float | None = None


@dataclasses.dataclass(frozen=True)
class Acknowledgement(Record):
    """Somebody's decision to live with a finding until a day.

    Parameters
    ----------
    finding
        Id of the finding.
    subject
        Its subject; ``""`` for every subject.
    reason
        Why it may stay.
    until
        The last day on which it holds, by UTC.
    actor, at
        Who decided, and when.
    """

    finding: str
    subject: str
    reason: str
    until: dt.date
    actor: str
    at: dt.datetime

    def covers(self, finding: Finding) -> bool:
        """True if the decision is about this finding."""
        return self.finding == finding.id and self.subject in ("", finding.subject)


@dataclasses.dataclass(frozen=True)
class AuditReport(Record):
    """What was seen in the training part.

    Parameters
    ----------
    rows, columns
        Size of the training part.
    findings
        Gravest first, then in the order of the checks.
    column_facts
        One per column, in the table's order.
    score_name
        What ``ColumnFacts.score`` is: "ROC AUC" or "R²".
    checks
        Ids of the checks that ran.
    skipped
        Checks that could not run, each with the reason.
    acknowledgements
        Decisions in force about findings of this report.
    label_suspects
        Labels that are probably wrong, the most certain first; at most 1,000.
    quick
        True if no model was trained, so that some checks did not run.
    associations
        How strongly features go together; None if there is too little to measure.
    gaps
        Which columns are missing together; empty if nothing is missing.
    corrections
        What people decided about single rows, as far as it is in force.
    basis
        See :func:`modelyard.audit.audit_basis`; empty for a report that nobody keeps.
    """

    rows: int
    columns: int
    findings: tuple[Finding, ...]
    column_facts: tuple[ColumnFacts, ...]
    score_name: str = ""
    checks: tuple[str, ...] = ()
    associations: Associations | None = None
    gaps: tuple[GapPattern, ...] = ()
    skipped: tuple[SkippedCheck, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()
    label_suspects: tuple[LabelSuspect, ...] = ()
    corrections: tuple[Correction, ...] = ()
    quick: bool = False
    basis: str = ""

    def acknowledgement_of(self, finding: Finding) -> Acknowledgement | None:
        """The decision about a finding, if there is one."""
        return next((decision for decision in self.acknowledgements if decision.covers(finding)), None)

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """The findings that nobody has acknowledged."""
        return tuple(finding for finding in self.findings if self.acknowledgement_of(finding) is None)
