"""Whether there is enough to learn from: columns, rows in all, rows of each class, and of the rare one."""

from collections.abc import Iterator

from modelyard.audit.context import AuditContext
from modelyard.audit.registry import CLASSES, Threshold, check
from modelyard.core import Finding, Severity
from modelyard.data import category_text

__all__ = ["class_balance", "no_features", "small_classes", "small_sample"]

_FEW_ROWS = 500
_SOME_ROWS = 1_000
_FEW_OF_A_CLASS = 50
_RARE_SHARE = 0.20
_VERY_RARE_SHARE = 0.05


@check("D9", "no-features")
def no_features(context: AuditContext) -> Iterator[Finding]:
    """No column that a model may use.

    Harm: Training has nothing to learn from and is refused.
    """
    if context.roles.features:
        return
    left_out = "; ".join(f"{name}: {reason}" for name, reason in context.roles.excluded.items())
    yield Finding(
        id="no-features",
        severity=Severity.ERROR,
        subject="",
        message="No column is left to learn from.",
        why=f"Training will be refused. {left_out or 'The target is the only column'}.",
        action="Add columns that are known when the prediction is asked for, or exclude fewer.",
        evidence={"excluded": dict(context.roles.excluded)},
        row="D9",
    )


@check(
    "D8",
    "small-sample",
    thresholds=(
        Threshold(
            "rows for a warning",
            _FEW_ROWS,
            "with fewer, five folds leave so few rows that one standard error exceeds most gains",
        ),
        Threshold(
            "rows for a note", _SOME_ROWS, "the least that practice advises for a table; simple models often win below"
        ),
    ),
)
def small_sample(context: AuditContext) -> Iterator[Finding]:
    """Fewer than 1,000 training rows; a warning below 500.

    Harm: Scores are uncertain, and the best of many candidates is the luckiest.
    """
    rows = context.frame.height
    if rows >= _SOME_ROWS:
        return
    yield Finding(
        id="small-sample",
        severity=Severity.WARNING if rows < _FEW_ROWS else Severity.INFO,
        subject="",
        message=f"There are {rows:,} training rows.",
        why=f"Below {_FEW_ROWS if rows < _FEW_ROWS else _SOME_ROWS:,} rows, scores are uncertain and simple models often win.",
        action="Collect 1,000 to 5,000 labelled rows if you can, and read the intervals before the scores.",
        evidence={"rows": rows},
        row="D8",
    )


@check(
    "D8",
    "small-class",
    thresholds=(Threshold("rows of a class", _FEW_OF_A_CLASS, "with five folds ten rows each remain to be judged on"),),
    needs=(CLASSES,),
)
def small_classes(context: AuditContext) -> Iterator[Finding]:
    """Classes with fewer than 50 training rows.

    Harm: The class is hardly learnt, and a fold may have none of it.
    """
    for name, rows in _class_counts(context):
        if rows >= _FEW_OF_A_CLASS:
            continue
        yield Finding(
            id="small-class",
            severity=Severity.WARNING,
            subject=name,
            message=f"The class {name!r} has {rows:,} training rows.",
            why=f"From fewer than {_FEW_OF_A_CLASS} rows a class is hardly learnt, and folds may miss it.",
            action="Collect more rows of this class, or merge it with another.",
            evidence={"rows": rows},
            row="D8",
        )


@check(
    "D8",
    "imbalance",
    thresholds=(
        Threshold(
            "share for a note", _RARE_SHARE, "accuracy starts to mislead where the commoner class has four of five rows"
        ),
        Threshold("share for a warning", _VERY_RARE_SHARE, "a model that never decides for the class is 95 % right"),
    ),
    needs=(CLASSES,),
)
def class_balance(context: AuditContext) -> Iterator[Finding]:
    """A rarest class below 20 % of the rows, or below half of an equal share; a warning below 5 %.

    Harm: Accuracy looks good when nothing is found.
    """
    counts = _class_counts(context)
    if len(counts) < 2:
        return
    name, rows = counts[-1]
    share = rows / context.frame.height
    if share >= min(_RARE_SHARE, 0.5 / len(counts)):
        return
    yield Finding(
        id="imbalance",
        severity=Severity.WARNING if share < _VERY_RARE_SHARE else Severity.INFO,
        subject=context.roles.target,
        message=f"The rarest class, {name!r}, has {rows:,} of {context.frame.height:,} rows ({share:.1%}).",
        why="Accuracy looks good when nothing is found, and the usual threshold of 0.5 hardly ever decides for it.",
        action="Judge by PR AUC, log loss or money, and let the threshold follow from costs; do not resample first.",
        evidence={"rows": rows, "share": share, "classes": len(counts)},
        row="D8",
    )


def _class_counts(context: AuditContext) -> list[tuple[str, int]]:
    """Classes with their rows, most frequent first; none for regression."""
    if not context.task.is_classification:
        return []
    labels = category_text(context.frame[context.roles.target]).drop_nulls().alias("class")
    counted = labels.value_counts(name="rows").sort(["rows", "class"], descending=[True, False])
    return [(str(name), int(rows)) for name, rows in counted.rows()]
