"""Sheets for people: what the audit suspects row by row, with an empty column for their word."""

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from modelyard.audit.columns import FAR, robust_distance
from modelyard.audit.records import AuditReport
from modelyard.data import Dataset, category_text, row_digests
from modelyard.problem import Problem

__all__ = ["label_review", "outlier_review"]

_LABELS = (
    "position", "key", "digest", "column", "given", "suggested",
    "probability_given", "probability_suggested", "distance", "reviewed_label",
)  # fmt: skip
_OUTLIERS = ("position", "key", "digest", "column", "given", "distance", "usual_low", "usual_high", "verdict")
_MOST_ROWS = 1_000

Decided = Collection[tuple[str, str, str]]
"""What people have confirmed, as (key, digest, column)."""


def label_review(report: AuditReport, train: Dataset, problem: Problem, decided: Decided = ()) -> str:
    """The labels that are suspected as CSV, the most certain first, with an empty column for the right label.

    Parameters
    ----------
    report
        Of ``train``.
    train, problem
        What was audited.
    decided
        Left out: somebody has looked at them.
    """
    suspects = report.label_suspects
    digests = row_digests(train.frame[[suspect.position for suspect in suspects]])
    rows = (
        {**suspect.to_dict(), "digest": digest, "column": problem.data.target}
        for suspect, digest in zip(suspects, digests, strict=True)
    )
    return _sheet(_LABELS, rows, decided)


def outlier_review(report: AuditReport, train: Dataset, problem: Problem, decided: Decided = ()) -> str:
    """The values far from all others as CSV, column by column, the farthest first; at most 1,000.

    The evidence beside each: its distance as :func:`~modelyard.audit.columns.robust_distance` has it, and the
    5 % and 95 % quantiles of the column. In the last column goes ``legitimate``, ``error`` or ``leave out``.
    """
    found: list[dict[str, Any]] = []
    for finding in report.findings:
        if finding.id == "outliers":
            found += _far_values(train.frame, finding.subject)
    found = found[:_MOST_ROWS]
    places = [row["position"] for row in found]
    key = problem.data.id
    keys = category_text(train.frame[key])[places].cast(pl.String).to_list() if key is not None else [""] * len(places)
    digests = row_digests(train.frame[places])
    named = ({**row, "key": k, "digest": d} for row, k, d in zip(found, keys, digests, strict=True))
    return _sheet(_OUTLIERS, named, decided)


def _far_values(frame: pl.DataFrame, name: str) -> list[dict[str, Any]]:
    """The values of a column that lie far from the others, the farthest first."""
    numbers = frame[name].cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
    known = np.flatnonzero(np.isfinite(numbers))
    distance = robust_distance(numbers[known], np.sort(numbers[known]))
    low, high = np.quantile(numbers[known], [0.05, 0.95])
    far = [place for place in np.argsort(-distance, kind="stable").tolist() if distance[place] > FAR]
    texts = category_text(frame[name])
    return [
        {
            "position": int(known[place]),
            "column": name,
            "given": texts[int(known[place])],
            "distance": round(float(distance[place]), 2),
            "usual_low": float(low),
            "usual_high": float(high),
        }
        for place in far[:_MOST_ROWS]
    ]


def _sheet(names: Sequence[str], rows: Iterable[Mapping[str, Any]], decided: Decided) -> str:
    """CSV of the rows that nobody has decided on; what a row lacks stays empty."""
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, names, restval="", lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    settled = {(key or digest, column) for key, digest, column in decided}
    writer.writerows(row for row in rows if (row["key"] or row["digest"], row["column"]) not in settled)
    return sheet.getvalue()
