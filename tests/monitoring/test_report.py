from collections.abc import Callable

import polars as pl
import pytest

from modelyard.data.profile import ReferenceProfile, build_profile
from modelyard.data.schema import Column, ColumnKind
from modelyard.monitoring import monitor, monitor_page
from modelyard.problem import Problem
from modelyard.report import render_html, render_markdown

MakeLog = Callable[..., tuple[pl.DataFrame, pl.DataFrame]]


def test_the_page_tells_verdict_cause_and_evidence(
    profile: ReferenceProfile, problem: Problem, make_log: MakeLog
) -> None:
    """Verdict first, then findings, performance and drift, in HTML and Markdown."""
    log, labels = make_log(6, lambda day: {"turned": day >= 3, "mean": 0.9 if day >= 3 else 0.0})
    report = monitor(profile, log, labels, problem, reference_score=0.78)
    page = monitor_page(report, problem)
    markdown = render_markdown(page)

    assert [section.title for section in page.sections] == [
        "Verdict",
        "Findings",
        "Performance",
        "Expected performance",
        "Drift",
        "Traffic",
        "Windows",
    ]
    assert "| BROKEN | labels of 2026-11-07 gave" in markdown
    assert "Likely cause: concept drift" in markdown
    assert "Drift by feature and window" in markdown
    assert "2026-11-07" in render_html(page)


@pytest.mark.parametrize("rows", [0, 5])
def test_a_page_without_anything_to_judge(
    profile: ReferenceProfile, problem: Problem, make_log: MakeLog, rows: int
) -> None:
    """An empty log and a waiting one make a page that says so."""
    log, _ = make_log(1)
    page = monitor_page(monitor(profile, log.head(rows), None, problem, reference_score=None), problem)

    assert "No data is not good news" in render_markdown(page) or rows == 5
    assert "<svg" not in render_html(page)


def test_two_hundred_features_over_two_months_fit_into_a_megabyte(problem: Problem, make_log: MakeLog) -> None:
    """The page stays small however much is watched."""
    log, _ = make_log(60, rows=200)
    wide = log.select("id", "at", *[pl.col("feature.age").alias(f"feature.feature_number_{i}") for i in range(200)])
    features = wide.select(pl.all().exclude("id", "at")).rename(lambda name: name.removeprefix("feature."))
    columns = [Column(name, ColumnKind.NUMERIC, "Float64", nullable=False) for name in features.columns]
    profile = build_profile(features + 1, columns)
    report = monitor(profile, wide, None, problem, reference_score=None)

    assert len(render_html(monitor_page(report, problem)).encode()) < 1_000_000
    assert len(report.findings) == 200
