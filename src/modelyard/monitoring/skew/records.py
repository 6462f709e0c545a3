"""What a check for skew gives."""

import dataclasses
import datetime as dt
import enum
from collections.abc import Mapping

from modelyard.core import Finding, Record
from modelyard.monitoring.records import Verdict

__all__ = ["ColumnSkew", "Pattern", "ScoreSkew", "SkewReport", "TableMatch"]


class Pattern(enum.StrEnum):
    """What most of a column's differing values have in common."""

    NONE = ""
    MISSING = "missing"
    FILLED = "filled"
    SPELLING = "spelling"
    CONSTANT = "one value"
    UNIT = "unit"


@dataclasses.dataclass(frozen=True)
class ScoreSkew(Record):
    """Logged answers against those that are computed anew from the logged rows.

    Parameters
    ----------
    by
        Who computed: ``package`` (its scorer), or ``training pipeline`` (the fitted model of its run).
    rows
        Answers compared.
    differing
        Those that differ by more than the tolerance.
    decisions
        Those of them whose decision differs, too; 0 for values.
    largest
        The largest difference; relative where the computed value is above 1. None if nothing was compared.
    tolerance
        What is allowed: the package's, as for its golden rows.
    examples
        Ids of answers that differ, at most three.
    not_compared
        Why nothing was; ``""`` if something was.
    """

    by: str
    rows: int = 0
    differing: int = 0
    decisions: int = 0
    largest: float | None = None
    tolerance: float = 0.0
    examples: tuple[str, ...] = ()
    not_compared: str = ""


@dataclasses.dataclass(frozen=True)
class TableMatch(Record):
    """The rows of the table that belong to the logged requests.

    Parameters
    ----------
    table
        Its address, without login.
    key
        The column that names an entity, or ``id`` for ids of answers.
    moment
        The column by which the latest row counts that was known when a request came; ``""`` for none.
    matched, unmatched
        Requests that have a row there, and that have none.
    not_compared
        Why there is none at all; ``""`` if there is.
    """

    table: str = ""
    key: str = ""
    moment: str = ""
    matched: int = 0
    unmatched: int = 0
    not_compared: str = ""


@dataclasses.dataclass(frozen=True)
class ColumnSkew(Record):
    """One column as requests carried it, against the table.

    Parameters
    ----------
    column
        A feature of the model.
    rows, differing
        Requests compared, and those whose value differs: numbers by more than a millionth, anything else at all.
    at_least
        The share of all requests that certainly differs: lower end of a one-sided interval of 99 % (Clopper and Pearson).
    missing, filled
        Requests without a value where the table has one, and with one where it has none.
    respelled
        Differing categories that are the same but for case, spaces and signs.
    unseen
        Differing categories that training never saw.
    pattern, detail
        What most differing values have in common, and how it is told.
    examples
        Pairs of values, the table's first; at most three.
    """

    column: str
    rows: int
    differing: int
    at_least: float
    missing: int = 0
    filled: int = 0
    respelled: int = 0
    unseen: int = 0
    pattern: Pattern = Pattern.NONE
    detail: str = ""
    examples: tuple[tuple[str, str], ...] = ()

    @property
    def share(self) -> float:
        """Of the compared requests, those that differ."""
        return self.differing / self.rows if self.rows else 0.0


@dataclasses.dataclass(frozen=True)
class SkewReport(Record):
    """Training-serving skew of one version.

    Parameters
    ----------
    model, version
        Which one.
    logged, sampled, seed
        Its answers in the log, how many of them were drawn, and with which seed.
    since, until
        First and last moment of those drawn; None without any.
    scores
        The answers, computed anew by the package and by the training pipeline.
    match
        The table that requests were held against.
    columns
        By column, those that differ most first.
    left_out
        Columns that were not compared, with the reason.
    findings, verdict
        What a person should know. ``no data`` if nothing could be compared, which is no success.
    """

    model: str
    version: str
    logged: int
    sampled: int
    seed: int
    since: dt.datetime | None
    until: dt.datetime | None
    scores: tuple[ScoreSkew, ...]
    match: TableMatch
    columns: tuple[ColumnSkew, ...]
    left_out: Mapping[str, str]
    findings: tuple[Finding, ...]
    verdict: Verdict

    @property
    def has_alarms(self) -> bool:
        """True if somebody should be called: a finding is an error."""
        return self.verdict is Verdict.ALARM
