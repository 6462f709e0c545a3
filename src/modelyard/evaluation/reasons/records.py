"""What is said of the winner's reasons as a whole."""

import dataclasses

from modelyard.core import Record

__all__ = [
    "ColumnEffect",
    "Dependence",
    "Expectation",
    "MethodAgreement",
    "ModelAgreement",
    "Proxy",
    "ReasonSummary",
    "Reasons",
    "SecondOpinion",
]


@dataclasses.dataclass(frozen=True)
class ColumnEffect(Record):
    """How much one column moves predictions, and which way.

    Parameters
    ----------
    feature
        The column of the table.
    size
        Mean absolute contribution over the rows, on the summary's scale.
    share
        Of the sizes of all columns.
    trend
        Spearman's correlation between value and contribution, -1 to 1; None for columns without an order, and for
        several classes, where each row explains another class.
    words
        The direction, as a person says it.
    """

    feature: str
    size: float
    share: float
    trend: float | None
    words: str


@dataclasses.dataclass(frozen=True)
class Dependence(Record):
    """Contribution by value of one column.

    Parameters
    ----------
    feature
        The column.
    values, amounts
        Of a column with an order: its value and its contribution in each row shown; dates are days since 1970.
    levels, rows
        Of any other column: its values, the commonest first, and their rows; ``amounts`` are then means.
    """

    feature: str
    values: tuple[float, ...]
    amounts: tuple[float, ...]
    levels: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class ReasonSummary(Record):
    """Contributions of all columns over many held-out rows.

    Parameters
    ----------
    rows
        Rows that were explained.
    method
        How contributions were computed: ``exact for trees``, ``exact for linear models`` or ``sampled``.
    scale
        What sizes are measured in: ``log-odds``, ``probability`` or ``value``.
    gap
        The largest difference between a row's prediction and what its contributions add up to, in probability or in
        the target's unit; None if they are not comparable (several classes in log-odds).
    effects
        By column, the largest first.
    dependence
        Of the columns that count most.
    """

    rows: int
    method: str
    scale: str
    gap: float | None
    effects: tuple[ColumnEffect, ...]
    dependence: tuple[Dependence, ...]


@dataclasses.dataclass(frozen=True)
class MethodAgreement(Record):
    """How far contributions and a second opinion agree.

    Parameters
    ----------
    rows
        Rows that both explained.
    same_top
        Share of the columns that count most which both name, mean over rows.
    same_sign
        Share of the columns named by both that are said to push the same way; None if none is.
    fit
        Median R² of the second opinion's straight line around the rows: below 0.5 it has little to say.
    importance
        Spearman's correlation of the sizes of contributions with the importance by shuffling; None below three
        columns.
    top
        How many columns count as those that count most: three, or all if there are fewer.
    """

    rows: int
    same_top: float
    same_sign: float | None
    fit: float
    importance: float | None
    top: int = 3


@dataclasses.dataclass(frozen=True)
class SecondOpinion(Record):
    """LIME's reasons for one row: its columns, the largest slope first, and how well the line fits (R²).

    A slope is the change of the probability, or of the value, from having the row's own value rather than another.
    """

    row_id: str
    columns: tuple[str, ...]
    amounts: tuple[float, ...]
    fit: float


@dataclasses.dataclass(frozen=True)
class ModelAgreement(Record):
    """How far another family's best candidate looks at the same columns as the winner.

    Parameters
    ----------
    candidate, family
        Who was asked.
    correlation
        Spearman's correlation of the importance of columns, both by shuffling the same rows.
    shared, of
        How many of the winner's ``of`` most important columns are among the candidate's.
    predictions
        Spearman's correlation of the predictions themselves.
    as_good
        Whether it lies within one standard error of the winner over the folds.
    """

    candidate: str
    family: str
    correlation: float
    shared: int
    of: int
    predictions: float
    as_good: bool = False


@dataclasses.dataclass(frozen=True)
class Expectation(Record):
    """An expected direction, and what the model does.

    Parameters
    ----------
    feature, expected
        The column, and ``increasing`` or ``decreasing``.
    verdict
        ``kept``, ``broken`` or ``unclear``.
    change, low, high
        Mean change of the prediction from the column's 5th to its 95th percentile, with its interval; None if it was
        not measured.
    against
        Share of all movement along the way that goes against the expectation, 0 to 1.
    rows
        Rows whose column was varied.
    note
        Why it is unclear, or where it is broken; empty otherwise.
    """

    feature: str
    expected: str
    verdict: str
    change: float | None
    low: float | None
    high: float | None
    against: float | None
    rows: int
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Proxy(Record):
    """A column of the model that tells a protected one.

    Parameters
    ----------
    protected, feature
        The two columns; an empty ``feature`` stands for all columns of the model together.
    score, score_name
        How well it predicts the protected column on rows held out: ROC AUC or R².
    strength
        The same as a share of the way from chance to perfect, 0 to 1.
    """

    protected: str
    feature: str
    score: float
    score_name: str
    strength: float


@dataclasses.dataclass(frozen=True)
class Reasons(Record):
    """What the winner has learnt, seen as a whole.

    Parameters
    ----------
    summary
        Contributions over many rows; None if the model reads no column.
    opinions
        LIME's reasons for the rows that are explained one by one.
    methods
        Agreement between methods; None if no row has both.
    models
        Agreement with the best candidates of other families.
    expectations
        Directions that the project file expects.
    proxies
        Columns that tell a protected one.
    places
        Columns of the model that say where somebody lives, by their name.
    """

    summary: ReasonSummary | None = None
    opinions: tuple[SecondOpinion, ...] = ()
    methods: MethodAgreement | None = None
    models: tuple[ModelAgreement, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    places: tuple[str, ...] = ()
