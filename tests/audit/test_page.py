from collections.abc import Callable

import numpy as np
import polars as pl

from modelyard.audit import AuditReport, audit_page
from modelyard.problem import Problem
from modelyard.report import render_html, render_markdown

PROBLEM = Problem.model_validate({"name": "demo", "task": "binary", "data": {"source": "t", "target": "y"}})


def test_two_hundred_columns_stay_below_a_megabyte(audited: Callable[..., AuditReport]) -> None:
    """The page of a wide table is a small file."""
    random = np.random.default_rng(0)
    columns = {f"a_rather_long_column_name_{n}": random.normal(size=500) for n in range(150)}
    levels = {f"category_{n}": random.choice(["a first level", "a second level"], 500) for n in range(49)}
    report = audited(pl.DataFrame({**columns, **levels, "y": random.integers(0, 2, 500)}))

    html = render_html(audit_page(report, PROBLEM))
    assert report.columns == 200
    assert len(html.encode()) < 300_000
    assert "a_rather_long_column_name_149" in html


def test_the_page_shows_findings_and_columns(audited: Callable[..., AuditReport]) -> None:
    """Findings, the range of a date, the levels of a category, and the score are all there; HTML in data is escaped."""
    rows = 400
    random = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "day": pl.Series(["2024-01-01", "2024-12-31"] * (rows // 2)).str.to_date(),
            "level": ["<b>bold</b>", "plain"] * (rows // 2),
            "empty": pl.Series([None] * rows, dtype=pl.Float64),
            "y": random.integers(0, 2, rows),
        }
    )
    page = audit_page(audited(frame), PROBLEM)

    text, html = render_markdown(page), render_html(page)
    assert "2024-01-01 · 2024-01-01 · 2024-12-31" in text or "2024-01-01 · 2024-12-31 · 2024-12-31" in text
    assert "No row has a value." in text
    assert "<b>bold</b>" not in html
    assert "ROC AUC of each column alone" in html


def test_the_page_shows_what_goes_and_what_is_missing_together(audited: Callable[..., AuditReport]) -> None:
    """The strongest pair by name and number; the pattern of gaps as a column of marks."""
    random = np.random.default_rng(0)
    size = random.normal(size=600)
    gap = pl.Series(np.where(np.arange(600) % 6 == 0, np.nan, size)).fill_nan(None)
    frame = pl.DataFrame(
        {"size": gap, "weight": gap * 2 + 1, "hue": random.random(600), "y": random.integers(0, 2, 600)}
    )
    text = render_markdown(audit_page(audited(frame), PROBLEM))

    assert "| size | weight | 1.00 |" in text or "| weight | size | 1.00 |" in text
    assert "| Rows with this pattern | 500 | 100 |" in text
    assert "| size |  | ✗ |" in text
