import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from modelyard.audit import AuditReport, audit_page, load_audit, save_audit
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


def test_the_page_fits_a_phone_and_paper(audited: Callable[..., AuditReport]) -> None:
    """What can be asked without a browser: a viewport, tables in scrolling frames, a name that stays, rules for print."""
    random = np.random.default_rng(0)
    report = audited(pl.DataFrame({"x": random.normal(size=300), "y": random.integers(0, 2, 300)}))
    html = render_html(audit_page(report, PROBLEM))

    assert '<meta name="viewport" content="width=device-width,initial-scale=1">' in html
    assert html.count("<table>") == len(re.findall(r'<div class="table(?: compact)?"><table>', html)) > 0
    assert '<div class="table compact"><table><thead><tr><th scope="col">Column</th>' in html
    assert ".table{overflow-x:auto" in html
    assert ".compact td:first-child,.compact th:first-child{position:sticky" in html
    phone, paper = (html[html.index(start) :] for start in ("@media (max-width:30rem)", "@media print"))
    assert ".facts{grid-template-columns:repeat(2" in phone
    assert ".table,figure{overflow:visible}" in paper
    assert ".compact td,.compact th{white-space:normal" in paper


def test_each_column_has_one_compact_row(audited: Callable[..., AuditReport]) -> None:
    """Zeros, skew, a histogram of blocks and the top values stand in one row of the column."""
    random = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "claims": np.where(np.arange(400) % 4 == 0, 0.0, random.exponential(size=400)),
            "plan": ["a plan of a very long name"] * 300 + ["b"] * 100,
            "y": random.integers(0, 2, 400),
        }
    )
    report = audited(frame)
    facts = {one.name: one for one in report.column_facts}
    (claims,) = (line for line in render_markdown(audit_page(report, PROBLEM)).splitlines() if "| claims | █" in line)

    assert facts["claims"].zeros == 0.25
    assert facts["claims"].skewness is not None
    assert 1.0 < facts["claims"].skewness < 2.5
    assert re.search(rf"\|\s25\s%\s\|\s{facts['claims'].skewness:.1f}\s\|", claims)
    assert (facts["plan"].zeros, facts["plan"].skewness) == (None, None)
    assert re.search(r"a plan of a ver…\s75\s%, b\s25\s%", render_markdown(audit_page(report, PROBLEM)))


def test_three_files_are_written_together(audited: Callable[..., AuditReport], tmp_path: Path) -> None:
    """The page, its Markdown twin and the record; a quick audit is not taken for a whole one."""
    random = np.random.default_rng(0)
    report = audited(pl.DataFrame({"x": random.normal(size=300), "y": random.integers(0, 2, 300)}))
    assert load_audit(tmp_path) is None

    assert save_audit(report, PROBLEM, tmp_path) == tmp_path / "audit.html"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audit.html", "audit.json", "audit.md"]
    assert (tmp_path / "audit.md").read_text(encoding="utf-8") == render_markdown(audit_page(report, PROBLEM))
    assert load_audit(tmp_path) == report

    save_audit(dataclasses.replace(report, quick=True), PROBLEM, tmp_path)
    assert load_audit(tmp_path) is None


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
