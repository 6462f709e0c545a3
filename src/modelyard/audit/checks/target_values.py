"""Numbers in the target that a model, trained on other rows, would never have expected."""

from collections.abc import Iterator

from modelyard.audit.context import LEAST_DISTANCE, LEAST_SINGLE_SCORE, AuditContext
from modelyard.audit.registry import NUMBERS, Need, Threshold, at_least_rows, at_most_features, check
from modelyard.core import Finding, Severity

__all__ = ["target_errors"]

_LEAST_SCORE = 0.5
_MOST_SCORE = 0.99
_MIN_ROWS = 200
_MOST_FEATURES = 300


def _too_weak(context: AuditContext) -> str:
    """Why a model cannot contradict a number here."""
    model = context.value_model
    if model.rows == 0:
        return f"needs features that predict well; the best alone reaches R² {model.score:.2f} only"
    score = model.score
    if score > _MOST_SCORE:
        return f"needs a target that is not in the features already; they predict it with R² {score:.3f}"
    return "" if score >= _LEAST_SCORE else f"needs features that predict with R² {_LEAST_SCORE}; it is {score:.2f}"


@check(
    "D10",
    "target-errors",
    thresholds=(
        Threshold("R² of the model", _LEAST_SCORE, "below it the noise is wider than what is known"),
        Threshold("R² of the model at most", _MOST_SCORE, "beyond, features hold the target, and the rest is rounding"),
        Threshold(
            "R² of the best feature alone", LEAST_SINGLE_SCORE, "trees seldom make much of features that say nothing"
        ),
        Threshold(
            "robust standard deviations", LEAST_DISTANCE, "normal noise of a million rows reaches 5, Laplace's 14"
        ),
        Threshold("times the distance that 99 % of the rows stay below", 3.0, "heavy tails are noise, not slips"),
    ),
    needs=(
        NUMBERS,
        at_least_rows(_MIN_ROWS),
        at_most_features(_MOST_FEATURES),
        Need("features that predict well", _too_weak),
    ),
    trains=True,
)
def target_errors(context: AuditContext) -> Iterator[Finding]:
    """Numbers in the target far from what held-out predictions expect (on at most 10,000 rows), ranked for review.

    The residual, divided by the robust spread of residuals where like numbers are predicted; both as it is, and after an
    inverse hyperbolic sine that tames long tails.

    Harm: A slip in the target bends a model that squares its errors, and one row decides a test.
    """
    model = context.value_model
    if not model.suspects:
        return
    worst = model.suspects[0]
    yield Finding(
        id="target-errors",
        severity=Severity.INFO,
        subject=context.roles.target,
        message=f"{len(model.suspects):,} of {model.rows:,} numbers looked at lie far from what a model with R² "
        f"{model.score:.2f} expects of their rows, the farthest {worst.given} where {worst.suggested} is expected.",
        why="A slip in the target bends a model that squares its errors; a rare real case is worth keeping.",
        action="Review the ranked list label_suspects.csv, and read it back: modelyard correct FILE --reason WHY.",
        evidence={
            "suspects": len(model.suspects),
            "rows": model.rows,
            "limit": round(model.limit, 2),
            "distance": worst.distance,
        },
        row="D10",
    )
