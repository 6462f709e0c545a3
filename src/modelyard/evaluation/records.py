"""What an evaluation is made of: figures with intervals, and the account of which rows they rest on."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

from modelyard.core import Finding, Record
from modelyard.evaluation.boundary.records import Boundary
from modelyard.evaluation.conformal.records import Regions
from modelyard.evaluation.experts.records import ExpertComparison
from modelyard.evaluation.fairness.records import FairnessGap
from modelyard.evaluation.periods.records import Stability
from modelyard.evaluation.quantiles.records import Quantiles
from modelyard.evaluation.reasons.records import Reasons
from modelyard.evaluation.worth.records import ProfitCurve
from modelyard.problem import GuardrailResult, Task

__all__ = [
    "Account",
    "Alternative",
    "Comparison",
    "Contribution",
    "Disturbance",
    "ErrorAnalysis",
    "Evaluation",
    "Importance",
    "MetricValue",
    "Mistake",
    "Money",
    "PairedTest",
    "Robustness",
    "RowExplanation",
    "SegmentScore",
    "SharedTrait",
    "SliceSearch",
    "SystemScores",
    "ThresholdChoice",
    "WeakSlice",
]


@dataclasses.dataclass(frozen=True)
class MetricValue(Record):
    """One metric with its interval; None where the metric is undefined on these rows.

    Parameters
    ----------
    name
        Name in :data:`modelyard.problem.METRICS`, or of a metric of one's own.
    value, low, high
        The figure, and the ends of its bootstrap interval.
    greater_is_better
        The direction of improvement.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    greater_is_better: bool


@dataclasses.dataclass(frozen=True)
class SystemScores(Record):
    """All metrics of one system: ``naive``, ``existing system`` or ``winner``."""

    name: str
    metrics: tuple[MetricValue, ...]

    def metric(self, name: str) -> MetricValue | None:
        """The metric called ``name``; None if it was not measured."""
        return next((value for value in self.metrics if value.name == name), None)


@dataclasses.dataclass(frozen=True)
class PairedTest(Record):
    """A second opinion on a comparison, by formula.

    Parameters
    ----------
    name
        Such as "DeLong".
    difference, low, high
        As in :class:`Comparison`; None for a test without an interval.
    p_value
        Two-sided, of no difference; None if it cannot be told.
    note
        What it counts, in words.
    """

    name: str
    difference: float | None
    low: float | None
    high: float | None
    p_value: float | None
    note: str


@dataclasses.dataclass(frozen=True)
class Comparison(Record):
    """A paired comparison of two systems on the same rows.

    Parameters
    ----------
    metric
        What was compared.
    champion, challenger
        The two figures.
    difference
        Improvement: positive means that the challenger is better, whatever the direction of the metric.
    low, high
        Interval of the difference.
    p_value
        Two-sided, of no difference, from the same bootstrap as the interval.
    rows
        Rows that were compared.
    verdict
        ``better`` or ``worse`` if the interval leaves out 0, else ``inconclusive``.
    against
        Name of the champion, for people.
    tests
        Second opinions by formula: DeLong's test for ROC AUC of two classes, McNemar's for metrics of labels.
    """

    metric: str
    champion: float | None
    challenger: float | None
    difference: float
    low: float
    high: float
    p_value: float
    rows: int
    verdict: str
    against: str = ""
    tests: tuple[PairedTest, ...] = ()


@dataclasses.dataclass(frozen=True)
class Alternative(Record):
    """What another threshold would give: its name, the threshold (None for acting on nobody), and the value."""

    name: str
    threshold: float | None
    value: float


@dataclasses.dataclass(frozen=True)
class ThresholdChoice(Record):
    """From which probability on a row is called positive, and why.

    Parameters
    ----------
    value
        The threshold: a row is positive if its probability is at or above it.
    reason
        Why this one, in a sentence or two.
    currency, value_per_case
        What one case is worth at this threshold on the rows it was chosen on; None without costs.
    low, high
        Interval of the best threshold: how well the rows pin it down.
    objective
        What was maximised: ``value`` (money a case) or the name of a metric.
    analytic, empirical
        The threshold that follows from the costs alone, and the best on these rows.
    alternatives
        The objective at other thresholds, to see what the choice is worth.
    """

    value: float
    reason: str
    currency: str | None
    value_per_case: float | None
    low: float
    high: float
    objective: str
    analytic: float | None
    empirical: float
    alternatives: tuple[Alternative, ...] = ()


@dataclasses.dataclass(frozen=True)
class SegmentScore(Record):
    """The primary metric on the rows that share one value of a column.

    Parameters
    ----------
    column, value
        The segment; numbers and dates are cut into ranges.
    rows
        Its size.
    metric, score, low, high
        The figure with its interval; None where it is undefined, such as a ranking of one class.
    note
        A caveat, such as "small: 23 rows"; empty if there is none.
    protected
        True for a column declared as protected.
    base_rate
        Share of positives (binary) or mean of the target (regression); None for several classes.
    selection_rate, true_positive_rate, false_positive_rate
        Binary only: share of rows called positive, of all, of the real positives, of the real negatives.
    """

    column: str
    value: str
    rows: int
    metric: str
    score: float | None
    low: float | None
    high: float | None
    note: str = ""
    protected: bool = False
    base_rate: float | None = None
    selection_rate: float | None = None
    true_positive_rate: float | None = None
    false_positive_rate: float | None = None


@dataclasses.dataclass(frozen=True)
class Importance(Record):
    """What the primary metric loses when a column is shuffled: mean and standard deviation over repeats."""

    feature: str
    drop: float
    sd: float


@dataclasses.dataclass(frozen=True)
class Contribution(Record):
    """By how much one column moved one prediction; ``value`` is what the row holds in that column."""

    feature: str
    value: str
    amount: float


@dataclasses.dataclass(frozen=True)
class RowExplanation(Record):
    """Why one row got its prediction.

    Parameters
    ----------
    row_id
        The row's id, or its position if the table has none.
    prediction
        Probability of ``explained_class``, or the predicted value.
    contributions
        By column, the largest amount first. They sum to ``margin`` minus ``base``.
    kind
        Why this row is shown: ``highest``, ``lowest`` or ``mistake``.
    actual
        The true class or value, as text.
    explained_class
        The class whose score is explained; empty for regression.
    scale
        What the amounts are measured in: ``log-odds``, ``probability`` or ``value``.
    base, margin
        The score of an average row, and of this one, on that scale.
    """

    row_id: str
    prediction: float
    contributions: tuple[Contribution, ...]
    kind: str = ""
    actual: str = ""
    explained_class: str = ""
    scale: str = ""
    base: float = 0.0
    margin: float = 0.0


@dataclasses.dataclass(frozen=True)
class Mistake(Record):
    """One of the rows that the winner is most wrong about.

    Parameters
    ----------
    row_id, actual
        As in :class:`RowExplanation`.
    decided
        The class that the row was put into, or the predicted value, as text.
    prediction
        Probability of the positive class, of the decided one of several, or the predicted value.
    loss
        The probability that the wrong classes were given, or the absolute error.
    contributions
        The five columns that moved the prediction most; empty if they were not computed for this row.
    scale
        What the amounts are measured in.
    """

    row_id: str
    actual: str
    decided: str
    prediction: float
    loss: float
    contributions: tuple[Contribution, ...]
    scale: str


@dataclasses.dataclass(frozen=True)
class SharedTrait(Record):
    """What many of the worst rows have in common, measured on rows that it was not found on.

    Parameters
    ----------
    conditions
        All of them hold, such as "tenure is at most 9.5".
    rows, worst
        Rows that meet the conditions, and how many of those are among the worst tenth.
    of
        All rows that this was measured on.
    lift, low, high
        How many times as often as among all rows the worst are found here, with its interval.
    """

    conditions: tuple[str, ...]
    rows: int
    worst: int
    of: int
    lift: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True)
class ErrorAnalysis(Record):
    """The worst mistakes on ``rows`` rows of ``part``, the worst first, and what the worst tenth share."""

    part: str
    rows: int
    mistakes: tuple[Mistake, ...]
    traits: tuple[SharedTrait, ...]


@dataclasses.dataclass(frozen=True)
class WeakSlice(Record):
    """Rows that share one value of each of one or two columns, and are served worse than the whole.

    Parameters
    ----------
    columns, values
        The slice; numbers and dates are cut into ranges.
    rows
        Its size.
    score, low, high
        The primary metric with its interval. The slice was found by search: expect a better figure on other rows.
    p_value
        The chance of so weak a slice anywhere among those searched, if the model is equally good everywhere.
    note
        A caveat; empty if there is none.
    """

    columns: tuple[str, ...]
    values: tuple[str, ...]
    rows: int
    score: float | None
    low: float | None
    high: float | None
    p_value: float
    note: str = ""

    @property
    def name(self) -> str:
        """Such as "plan is basic and tenure is 0 to 9"."""
        return " and ".join(f"{column} is {value}" for column, value in zip(self.columns, self.values, strict=True))


@dataclasses.dataclass(frozen=True)
class SliceSearch(Record):
    """The weak slices among ``searched`` that were tried on ``rows`` rows of ``part``, the surest first.

    ``score`` is the primary ``metric`` on all of these rows.
    """

    part: str
    rows: int
    searched: int
    metric: str
    score: float | None
    slices: tuple[WeakSlice, ...]


@dataclasses.dataclass(frozen=True)
class Disturbance(Record):
    """What one disturbance of the input does to predictions.

    Parameters
    ----------
    kind
        ``noise``, ``missing``, ``unseen`` (a category) or ``extreme``.
    feature
        The disturbed column; empty if all numbers were disturbed together.
    turned
        Share of rows with another decision; for values, of rows moved by more than half the standard deviation of the
        predictions. None if the rows were refused.
    change
        Mean absolute change of the probability or the value; None if unknown.
    note
        Why the rows were refused; empty otherwise.
    """

    kind: str
    feature: str
    turned: float | None
    change: float | None
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Robustness(Record):
    """Disturbances of ``rows`` held-out rows, one column at a time."""

    rows: int
    disturbances: tuple[Disturbance, ...]


@dataclasses.dataclass(frozen=True)
class Money(Record):
    """What the winner is worth against what is done today.

    Parameters
    ----------
    currency
        ISO 4217 code.
    per_year, low, high
        Difference a year with its interval; None if the volume is not declared.
    against
        What it is compared with, in words.
    volume_per_year
        Decisions a year; None if not declared.
    sentence
        The result for people.
    per_case, per_case_low, per_case_high
        Difference for one decision.
    """

    currency: str
    per_year: float | None
    low: float | None
    high: float | None
    against: str
    volume_per_year: int | None
    sentence: str
    per_case: float = 0.0
    per_case_low: float = 0.0
    per_case_high: float = 0.0


@dataclasses.dataclass(frozen=True)
class Account(Record):
    """Which rows the figures rest on.

    Parameters
    ----------
    split_id, dataset_id, strategy, split_reason
        The division of the rows, and why it was made so.
    train_rows, validation_rows, test_rows
        Sizes of its parts.
    test_digest
        Names the sealed rows exactly.
    openings
        How often they were opened, this time included.
    opened_at, opened_by, reason
        This opening; None and empty if the test part stayed sealed.
    independent_units
        Groups or stretches of time that were drawn together for the intervals; None if each row stood for itself.
    left_out
        Rows that could not be judged, since the model has never seen their class.
    """

    split_id: str
    dataset_id: str
    strategy: str
    split_reason: str
    train_rows: int
    validation_rows: int
    test_rows: int
    test_digest: str
    openings: int
    opened_at: dt.datetime | None
    opened_by: str
    reason: str
    independent_units: int | None = None
    left_out: int = 0


@dataclasses.dataclass(frozen=True)
class Evaluation(Record):
    """Everything known about how good a run's winner is.

    Parameters
    ----------
    run_id, task, metric, winner, classes
        What was evaluated, and the primary metric.
    measured_on
        The part that curves, confusion, segments, money and guardrails were measured on: ``test`` once it was opened,
        else ``validation``, or ``out of fold`` if there is no validation part.
    threshold
        Binary only.
    validation, test
        Figures of all systems; ``test`` is empty until the test part is opened.
    comparisons
        The winner against each baseline, on ``measured_on``.
    confusion
        True class by decided class; empty for regression.
    curves
        Points by the name of the picture, JSON-ready.
    confidence
        Of the test intervals: 0.95 at the first opening, 1 - 0.05/openings later (Bonferroni).
    errors
        The worst mistakes on held-out rows other than the test part; None in records of earlier versions.
    weak_slices
        What a search for weak slices found on the same rows; None in records of earlier versions.
    robustness
        How predictions bear disturbed input; None in records of earlier versions.
    reasons
        What the winner has learnt, seen as a whole; None in records of earlier versions.
    pairs
        The primary metric by pairs of declared columns, on ``measured_on``.
    fairness
        Gaps between the groups of protected columns, on ``measured_on``; two classes only.
    experts
        The winner beside experts, on ``measured_on``; None if nobody was asked.
    more_rows
        Whether more rows would help, in one sentence; empty if training drew no learning curve.
    regions
        Intervals or sets beside the predictions, and how often they held the truth; None if none were asked for.
    quantiles
        Quantiles beside predicted values, the share of rows below each and their losses; None if none were asked for.
    boundary
        The decision boundary over two numeric columns, on held-out rows other than the test part; None for values, and
        where fewer than two numeric columns help.
    profit
        Money by threshold; two classes with prices only.
    stability
        The primary metric by period; None without a time column or with too few rows.
    """

    run_id: str
    task: Task
    metric: str
    winner: str
    classes: tuple[str, ...]
    measured_on: str
    threshold: ThresholdChoice | None
    validation: tuple[SystemScores, ...]
    test: tuple[SystemScores, ...]
    comparisons: tuple[Comparison, ...]
    segments: tuple[SegmentScore, ...]
    importance: tuple[Importance, ...]
    explanations: tuple[RowExplanation, ...]
    confusion: tuple[tuple[int, ...], ...]
    curves: Mapping[str, Any]
    money: Money | None
    openings: int
    confidence: float
    guardrails: tuple[GuardrailResult, ...]
    findings: tuple[Finding, ...]
    account: Account
    created_at: dt.datetime
    test_opened_at: dt.datetime | None = None
    errors: ErrorAnalysis | None = None
    weak_slices: SliceSearch | None = None
    robustness: Robustness | None = None
    reasons: Reasons | None = None
    pairs: tuple[SegmentScore, ...] = ()
    fairness: tuple[FairnessGap, ...] = ()
    experts: ExpertComparison | None = None
    more_rows: str = ""
    regions: Regions | None = None
    profit: ProfitCurve | None = None
    stability: Stability | None = None
    quantiles: Quantiles | None = None
    boundary: Boundary | None = None

    @property
    def measured(self) -> tuple[SystemScores, ...]:
        """The figures to judge by: those of the test part once it was opened, else those of validation."""
        return self.test or self.validation

    def scores_of(self, system: str) -> SystemScores | None:
        """The figures to judge ``system`` by; None if it was not measured."""
        return next((scores for scores in self.measured if scores.name == system), None)
