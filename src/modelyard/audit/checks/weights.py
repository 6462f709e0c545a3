"""Sample weights: whether they can be used, and what they leave of the rows."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from modelyard.audit.context import AuditContext
from modelyard.audit.registry import Threshold, check, declared
from modelyard.core import Finding, Severity

__all__ = ["sample_weights"]

_FEW_EFFECTIVE = 0.5


@check(
    "T2",
    "unusable-weights",
    "uneven-weights",
    thresholds=(
        Threshold(
            "effective share of the rows", _FEW_EFFECTIVE, "intervals then are as wide as of half as many equal rows"
        ),
    ),
    needs=(declared("weight"),),
)
def sample_weights(context: AuditContext) -> Iterator[Finding]:
    """Declared weights that are no numbers, missing, infinite or negative; or so uneven that few rows decide.

    Harm: No model can learn with such weights; or it learns from far fewer rows than there are.
    """
    name = context.problem.data.weight
    if name is None or name not in context.frame.columns:
        return
    column = context.frame[name]
    values = column.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy() if column.dtype.is_numeric() else None
    bad = context.frame.height if values is None else int((~np.isfinite(values) | (values < 0)).sum())
    if values is None or bad or not values.sum():
        words = f"{bad:,} of {context.frame.height:,} weights are no number from 0 on." if bad else "All weights are 0."
        yield Finding(
            id="unusable-weights",
            severity=Severity.ERROR,
            subject=name,
            message=words,
            why="Training refuses them: nobody can say how much such a row counts.",
            action="Mend the weights at the source, or leave data.weight out.",
            evidence={"rows": bad},
            row="T2",
        )
        return
    share = float(values.sum() ** 2 / (values**2).sum() / len(values))
    if share < _FEW_EFFECTIVE:
        yield Finding(
            id="uneven-weights",
            severity=Severity.WARNING,
            subject=name,
            message=f"By their weights the rows count like {share * len(values):,.0f} equal ones of {len(values):,} (Kish, 1965).",
            why="A few heavy rows decide what is learnt, and the scores, which count all rows alike, do not show it.",
            action="Check that the largest weights are meant; cap them if not.",
            evidence={"effective_share": share},
            row="T2",
        )
