"""The audit of rows that are to be compared: what is wrong with them, and what the columns look like."""

import polars as pl

from modelyard.core import Finding
from modelyard.data import Column
from modelyard.problem import Problem
from modelyard.report import Findings, Page, Section, Table, format_number, format_percent

__all__ = ["rows_page"]


def rows_page(
    frame: pl.DataFrame,
    columns: tuple[Column, ...],
    excluded: dict[str, str],
    findings: tuple[Finding, ...],
    problem: Problem,
) -> Page:
    """The whole page."""
    used = Table(
        ("column", "kind", "missing", "different values", "median or commonest"),
        tuple(_row(frame[column.name], column) for column in columns),
        numeric=(2, 3),
        compact=True,
    )
    left = Table(("column", "why"), tuple(excluded.items()), "Columns that rows are not compared by:")
    return Page(
        f"Audit of {problem.name}",
        problem.objective or f"{frame.height:,} training rows.",
        (
            Section("What wants a decision", (Findings(findings),)),
            Section("The columns", (used, left) if excluded else (used,)),
        ),
        "The sealed rows were not looked at.",
    )


def _row(values: pl.Series, column: Column) -> tuple[str, ...]:
    known = values.drop_nulls()
    number = column.kind.value == "numeric" and not known.is_empty()
    usual = known.quantile(0.5) if number else known.mode().sort().first() if not known.is_empty() else None
    shown = format_number(float(str(usual))) if number else str(usual if usual is not None else "–")
    return (
        column.name,
        column.kind.value,
        format_percent(values.null_count() / len(values)),
        f"{known.n_unique():,}",
        shown,
    )
