"""Columns that know the answer: copies, parts and proxies of the target, and times after the prediction.

Single-feature scores (see :mod:`modelyard.audit.signal`) on the training part of the test data, and the score of all
other features together (boosted trees on bins) behind the stroke; measured with seed 0:

==================================  =================================  ===============================
table (split)                       suspects                           not suspects
==================================  =================================  ===============================
bank_additional (time), AUC         duration .90 / .63                 cons.price.idx .63 / .96
bank_additional (stratified), AUC   duration .82 / .80                 cons.price.idx .78 / .95
electricity (time), AUC                                                nswprice .798 / .79, period .70
telco_churn, AUC                                                       tenure .74 / .84, Contract .73
adult_census, AUC                                                      relationship .78 / .91
bike_sharing (time), R²             registered .94 / .95, casual .60   hr .51 / .40
parkinsons (group), R²              motor_UPDRS .79 / .00              all others below 0
parkinsons (random), R²             motor_UPDRS .90 / .90              age .70 / .99
==================================  =================================  ===============================

Hence three rules. A score of 0.95 (AUC) or 0.90 (R²) is an error: almost nothing that is honestly known beforehand
predicts so well alone. A score of 0.90 or 0.85 is a warning. So is a feature from 0.80 or 0.60 on that alone does as
well as all others together, within 0.02: honest features that strong are 0.10 behind the others. `casual` is found
by the identity casual + registered = cnt. A table with one dominant honest feature gets a warning too, since by
numbers it cannot be told from a leak; it never gets an error below 0.95 or 0.90.
"""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.audit.context import AuditContext
from modelyard.audit.registry import NUMBERS, Need, Threshold, at_least_rows, check
from modelyard.audit.signal import score_name
from modelyard.core import Finding, Severity
from modelyard.data import ColumnKind
from modelyard.problem import Task

__all__ = ["later_than_prediction", "target_identity", "target_proxy"]

_THRESHOLDS = {True: (0.95, 0.90, 0.80), False: (0.90, 0.85, 0.60)}
"""Certain, likely, outstanding: ROC AUC for classes (True), R² for numbers."""

_MIN_ROWS = 100
_COMPARED = 3
_TIE = 0.02
_IDENTITY_ROWS = 5_000
_IDENTITY_TERMS = 4
_IDENTITY_TOLERANCE = 1e-6
_LATE_SHARE = 0.01


def _no_moment(context: AuditContext) -> str:
    """Why dates cannot be compared with a declared moment."""
    data = context.problem.data
    return "" if data.prediction_time or data.label_time else "needs data.prediction_time or data.label_time"


_A_MOMENT = Need("`data.prediction_time` or `data.label_time`", _no_moment)


@check(
    "D9",
    "target-proxy",
    thresholds=(
        Threshold(
            "certain: AUC",
            _THRESHOLDS[True][0],
            "nothing honest in the test data comes near; see the table in the source",
        ),
        Threshold("certain: R²", _THRESHOLDS[False][0], "the same for numbers"),
        Threshold("tie with all other features", _TIE, "honest strong features are 0.10 behind the others"),
    ),
    needs=(at_least_rows(_MIN_ROWS),),
    trains=True,
)
def target_proxy(context: AuditContext) -> Iterator[Finding]:
    """Features that alone predict the target too well; see the module's rules. Needs 100 rows or more.

    Columns that seem to name entities are left to ``undeclared_group``: they know the entity, not the answer.

    Harm: What is known only after the outcome will not be there in production; the score is a dream.
    """
    if context.sample.height < _MIN_ROWS:
        return
    certain, likely, outstanding = _THRESHOLDS[context.task.is_classification]
    entities = {entity.name for entity in context.undeclared_entities}
    ranked = sorted(context.scores.items(), key=lambda item: (-item[1], item[0]))
    for place, (name, score) in enumerate(ranked):
        if score < outstanding or name in entities:
            continue
        others = context.score_of_all_but(name, *entities) if place < _COMPARED and len(ranked) > 1 else None
        if score >= likely or (others is not None and score >= others - _TIE):
            yield _proxy(context, name, score, Severity.ERROR if score >= certain else Severity.WARNING, others)


def _proxy(context: AuditContext, name: str, score: float, severity: Severity, others: float | None) -> Finding:
    """A suspected leak with its numbers."""
    measure = score_name(context.task)
    rival = f", and all other features together {others:.2f}" if others is not None else ""
    return Finding(
        id="target-proxy",
        severity=severity,
        subject=name,
        message=f"This column alone predicts held-out rows with {measure} {score:.2f}{rival}: a suspected leak.",
        why="A column that is filled in after the outcome, or computed from it, will not help in production.",
        action="Ask when its value is known; exclude it under data.exclude if that is after the prediction.",
        evidence={"score": score, "measure": measure} | ({} if others is None else {"others_together": others}),
        row="D9",
    )


@check(
    "D9",
    "target-identity",
    thresholds=(
        Threshold(
            "columns in the formula",
            _IDENTITY_TERMS,
            "longer exact formulas are noiseless models rather than sums of parts",
        ),
    ),
    needs=(
        NUMBERS,
        at_least_rows(_MIN_ROWS),
    ),
)
def target_identity(context: AuditContext) -> Iterator[Finding]:
    """Regression only: at most four columns that give the target exactly, such as target = a + b.

    Harm: What the target is made of is not known before the target.
    """
    if context.task is not Task.REGRESSION:
        return
    target = context.roles.target
    names = [column.name for column in context.features_of(ColumnKind.NUMERIC) if column.dtype != "Null"]
    rows = context.frame.select(target, *names).head(_IDENTITY_ROWS)
    names = [name for name in names if rows[name].null_count() == 0 and rows[name].n_unique() > 1]
    rows = rows.filter(pl.col(target).is_not_null())
    if not names or rows.height < max(_MIN_ROWS, 3 * len(names)):
        return
    terms = _exact_terms(rows.select(names).to_numpy().astype(np.float64), rows[target].cast(pl.Float64).to_numpy())
    if not terms or len(terms) > _IDENTITY_TERMS:
        return
    formula = " + ".join(names[place] if weight == 1 else f"{weight:g}·{names[place]}" for place, weight in terms)
    for place, weight in terms:
        yield Finding(
            id="target-identity",
            severity=Severity.ERROR,
            subject=names[place],
            message=f"The target is computed from it: {target} = {formula} (and a constant at most), in every row.",
            why="What the target is made of is not known before the target.",
            action=f"Exclude {names[place]} under data.exclude; if it is known beforehand, no model is needed.",
            evidence={"weight": weight, "columns": [names[other] for other, _ in terms]},
            row="D9",
        )


def _exact_terms(matrix: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> list[tuple[int, float]]:
    """Columns and weights of an exact linear formula, without those that it does not need; empty if there is none."""
    if not np.isfinite(matrix).all() or not np.isfinite(target).all() or not target.any():
        return []
    units = np.abs(matrix).max(axis=0) / np.abs(target).max()
    matrix, target = matrix / np.abs(matrix).max(axis=0), target / np.abs(target).max()  # huge squares overflow
    centred = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    answer = (target - target.mean()) / max(float(target.std()), _IDENTITY_TOLERANCE)
    if not _is_exact(centred, answer, range(matrix.shape[1])):
        return []
    weights = np.linalg.lstsq(centred, answer, rcond=None)[0]
    kept = [int(place) for place in np.argsort(-np.abs(weights)) if abs(weights[place]) > _IDENTITY_TOLERANCE]
    if not kept:
        return []
    for place in reversed(list(kept)):
        rest = [other for other in kept if other != place]
        if rest and _is_exact(centred, answer, rest):
            kept = rest
    final = np.linalg.lstsq(centred[:, kept], answer, rcond=None)[0]
    scale = target.std() / matrix.std(axis=0) / units
    return [(place, float(np.round(weight * scale[place], 9))) for place, weight in zip(kept, final, strict=True)]


def _is_exact(columns: npt.NDArray[np.float64], answer: npt.NDArray[np.float64], places: Sequence[int]) -> bool:
    """True if the least-squares fit leaves nothing in any row."""
    chosen = columns[:, list(places)]
    weights = np.linalg.lstsq(chosen, answer, rcond=None)[0]
    return float(np.abs(chosen @ weights - answer).max()) < _IDENTITY_TOLERANCE


@check(
    "D9",
    "later-than-prediction",
    thresholds=(Threshold("share of rows", _LATE_SHARE, "a few wrong clocks are no leak"),),
    needs=(_A_MOMENT,),
)
def later_than_prediction(context: AuditContext) -> Iterator[Finding]:
    """Date features that lie after the declared prediction time, or at the time of the label, in 1 % of the rows.

    Harm: A value that is set later is not known when the prediction is asked for.
    """
    data = context.problem.data
    declared = [(data.prediction_time, "the prediction time"), (data.label_time, "the time of the label")]
    for (moment, words), column in itertools.product(declared, context.features_of(ColumnKind.DATE)):
        if moment is None or moment not in context.frame.columns or not _are_times(context, moment, column.name):
            continue
        late = (
            pl.col(column.name) > pl.col(moment)
            if moment == data.prediction_time
            else pl.col(column.name) >= pl.col(moment)
        )
        share = float(context.frame.select(late.mean().fill_null(0.0)).item())
        if share < _LATE_SHARE:
            continue
        yield Finding(
            id="later-than-prediction",
            severity=Severity.WARNING,
            subject=column.name,
            message=f"In {share:.1%} of the rows the date is not before {words} ({moment}).",
            why="A date that is set later is not known when the prediction is asked for.",
            action="Exclude the column, unless it is a date that is planned ahead.",
            evidence={"share": share, "compared_with": moment},
            row="D9",
        )


def _are_times(context: AuditContext, *names: str) -> bool:
    """True if all columns hold dates or moments without a zone, so that they compare."""
    types = [context.frame[name].dtype for name in names]
    return all(dtype == pl.Date or (isinstance(dtype, pl.Datetime) and dtype.time_zone is None) for dtype in types)
