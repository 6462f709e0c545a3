"""Labels that a model, trained on other rows, contradicts with confidence."""

from collections.abc import Iterator

import numpy as np

from modelyard.audit.context import LEAST_MARGIN, AuditContext
from modelyard.audit.registry import CLASSES, Need, Threshold, at_least_rows, at_most_features, check
from modelyard.audit.signal import cross_fitted, score_of
from modelyard.core import Finding, Severity

__all__ = ["label_errors"]

_LEAST_SCORE = 0.90
_LEAST_ADDED = 0.85
_MIN_ROWS = 200
_MOST_FEATURES = 300
_MOST_CLASSES = 20
_TOLD_APART = 0.8
_NOTED = 0.005


def _too_weak(context: AuditContext) -> str:
    """Why a model cannot contradict a label here."""
    if len(context.classes) > _MOST_CLASSES:
        return f"tells at most {_MOST_CLASSES} classes apart; there are {len(context.classes)}"
    added = _added_score(context)
    if added < _LEAST_ADDED:  # spares the boosted trees where they have no chance
        return f"needs features that predict well; added up they reach ROC AUC {added:.2f} only"
    score = context.label_model.score
    return (
        "" if score >= _LEAST_SCORE else f"needs features that predict with ROC AUC {_LEAST_SCORE}; it is {score:.2f}"
    )


def _added_score(context: AuditContext) -> float:
    """ROC AUC of the features' single predictions added up as log-odds: naive Bayes, and quick."""
    odds = np.zeros_like(context.target)
    for binned in context.binned.values():
        share = np.clip(cross_fitted(binned, context.target, context.folds), 1e-3, 1 - 1e-3)
        odds += np.log(share / (1 - share))
    return score_of(context.target, odds, context.task)


@check(
    "D10",
    "label-errors",
    thresholds=(
        Threshold("ROC AUC of the model", _LEAST_SCORE, "a weaker model is wrong more often than labels are"),
        Threshold("ROC AUC of the features added up", _LEAST_ADDED, "trees seldom gain more than 0.05 on that"),
        Threshold("margin", LEAST_MARGIN, "the suggested class is about nine times as likely as the given one"),
        Threshold(
            "share of rows answered so clearly, for a warning", _TOLD_APART, "below it, overlap explains as much"
        ),
        Threshold("share of suspects", _NOTED, "every table has a few strange rows"),
    ),
    needs=(
        CLASSES,
        at_least_rows(_MIN_ROWS),
        at_most_features(_MOST_FEATURES),
        Need("features that predict well", _too_weak),
    ),
    trains=True,
)
def label_errors(context: AuditContext) -> Iterator[Finding]:
    """Labels that held-out predictions contradict with confidence (on at most 10,000 rows), ranked for review.

    Harm: Wrong labels teach wrong answers, and a right answer on a wrong label counts as an error.
    """
    model = context.label_model
    share = len(model.suspects) / max(model.rows, 1)
    if share < _NOTED:
        return
    yield Finding(
        id="label-errors",
        severity=Severity.WARNING if model.clear_share >= _TOLD_APART else Severity.INFO,
        subject=context.roles.target,
        message=f"{len(model.suspects):,} of {model.rows:,} labels looked at ({share:.1%}) contradict a model that never "
        f"saw them and reaches ROC AUC {model.score:.2f}.",
        why="Wrong labels teach wrong answers, and make right answers look wrong.",
        action="Review the ranked list label_suspects.csv, and read it back: modelyard correct FILE --reason WHY.",
        evidence={"suspects": len(model.suspects), "rows": model.rows, "clear_share": model.clear_share},
        row="D10",
    )
