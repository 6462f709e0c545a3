"""Intervals and sets of a real life: calibrated on held-out rows, measured on the opened part, said where they fail."""

import dataclasses
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from tests.evaluation.conftest import price_table

from modelyard.conformal import ConformalRule, IntervalRule
from modelyard.core import Actor, Severity
from modelyard.core.actor import ActorSource
from modelyard.evaluation import Evaluation, RegionCoverage, Regions
from modelyard.evaluation.conformal import region_findings
from modelyard.evaluation.evaluate import evaluate
from modelyard.evaluation.page.sureness import regions_section
from modelyard.report import Prose

ADA = Actor("ada", ActorSource.OS_USER, ("admin",))
Live = Callable[[pl.DataFrame, dict[str, Any]], Any]


def _table(rows: int, *, hard: float) -> pl.DataFrame:
    """A price by size, with errors that grow with it, and ``hard`` times as large in one region of four."""
    return price_table(rows, 3, hard, lambda generator, spread: generator.normal(0, spread))


def _data(**columns: Any) -> dict[str, Any]:
    return {"source": "t.parquet", "target": "price", "exclude": {"estate": "a name", "at": "a moment"}, **columns}


@pytest.fixture(scope="module")
def uneven(live: Live) -> Evaluation:
    """A table whose western prices scatter three times as much, its test part opened."""
    life = live(_table(4000, hard=3.0), {"data": _data(), "segments": ["region"]})
    return evaluate(life.run, life.split, life.problem, actor=ADA, reason="coverage")


def test_values_get_intervals_that_hold(uneven: Evaluation) -> None:
    """On 600 opened rows about 90 % are covered; the width follows the prediction, since that pays here."""
    regions = uneven.regions

    assert regions is not None
    assert regions.rule is not None
    assert regions.rule.intervals is not None
    assert regions.rule.intervals.scale is not None
    assert regions.overall is not None
    assert (regions.part, regions.overall.rows, regions.in_sample) == ("test", 600, False)
    assert regions.overall.low < 0.9 < regions.overall.high
    assert regions.units == 600
    assert regions.reason.startswith("Calibrated on 600 validation rows. Promised are 90 % of the cases")


def test_a_segment_without_cover_is_found_and_named(uneven: Evaluation) -> None:
    """The west is covered far less than promised: a finding, and words on the page; the other regions are quiet."""
    found = [finding for finding in uneven.findings if finding.id.startswith("coverage")]
    section = regions_section(uneven)

    assert [(finding.id, finding.subject, finding.severity) for finding in found] == [
        ("coverage-uneven", "region", Severity.WARNING)
    ]
    assert found[0].evidence["value"] == "west"
    assert found[0].evidence["covered"] < 0.8
    assert section is not None
    assert "**Covered less than that:** region is west" in section.lead
    assert isinstance(section.blocks[0], Prose)
    assert "narrower where the model errs less" in section.blocks[0].text


def test_groups_are_calibrated_as_wholes(live: Live) -> None:
    """With 60 estates all of them are needed: validation and out-of-fold rows together, and estates are what counts."""
    life = live(
        _table(1200, hard=1.0), {"data": _data(group="estate", exclude={"at": "a moment"}), "segments": ["region"]}
    )
    regions = evaluate(life.run, life.split, life.problem, actor=ADA, reason="coverage").regions

    assert regions is not None
    assert 45 <= regions.units <= 55
    assert "training rows with out-of-fold predictions, in" in regions.reason
    assert "of the rows of groups like these" in regions.reason
    assert regions.overall is not None
    assert regions.overall.low < 0.9 < regions.overall.high
    assert regions.short == ()


def test_time_is_calibrated_on_the_latest_rows(live: Live) -> None:
    """With too few validation rows the latest fold joins them, not the whole past; nothing is promised about time."""
    life = live(_table(1200, hard=1.0), {"data": _data(time="at", exclude={"estate": "a name"})})
    evaluation = evaluate(life.run, life.split, life.problem, actor=ADA, reason=None)
    regions = evaluation.regions

    assert regions is not None
    assert regions.units == 180 + 280
    assert "time keeps no promise" in regions.reason
    assert regions.in_sample
    assert [finding.id for finding in evaluation.findings if finding.id.startswith("coverage")] == []


def test_classes_get_sets(churn_evaluation: Evaluation) -> None:
    """Churn: both classes are covered alike, and the sizes of the sets add up."""
    regions = churn_evaluation.regions

    assert regions is not None
    assert regions.rule is not None
    assert regions.rule.sets is not None
    assert [item.value for item in regions.classes] == ["No", "Yes"]
    assert all(0.88 <= item.covered <= 0.95 for item in regions.classes)
    assert sum(regions.sizes) == pytest.approx(1)
    assert regions.sizes[0] == 0
    assert Evaluation.from_dict(churn_evaluation.to_dict()) == churn_evaluation


def test_nothing_is_said_where_nothing_was_asked(churn_life: Any) -> None:
    """With ``coverage: null`` there are no sets, no section and no findings."""
    problem = churn_life.problem.model_copy(
        update={"evaluation": churn_life.problem.evaluation.model_copy(update={"coverage": None})}
    )
    evaluation = evaluate(churn_life.run, churn_life.split, problem, actor=ADA, reason=None)

    assert evaluation.regions is None
    assert regions_section(evaluation) is None


def _measured(covered: float, low: float, high: float, *, in_sample: bool = False) -> Regions:
    whole = RegionCoverage("", "", 1000, covered, low, high, 4.0)
    rule = ConformalRule(0.9, intervals=IntervalRule(2.0))
    return Regions(0.9, rule, "Calibrated.", 900, "test", in_sample, whole)


def test_a_broken_promise_is_a_finding() -> None:
    """84 % of 1,000 rows is too few; 88.5 % may be chance of both sets of rows; in sample nothing is said."""
    broken = list(region_findings(_measured(0.84, 0.82, 0.86), "test"))

    assert [(finding.id, finding.evidence["covered"]) for finding in broken] == [("coverage-not-kept", 0.84)]
    assert list(region_findings(_measured(0.885, 0.863, 0.9), "test")) == []
    assert list(region_findings(_measured(0.84, 0.82, 0.86, in_sample=True), "validation")) == []
    assert list(region_findings(None, "test")) == []


def test_one_sentence_for_the_terminal() -> None:
    """Measured on other rows it is a sentence; in sample it would say nothing."""
    assert _measured(0.885, 0.863, 0.9).sentence == (
        "Intervals meant for 90 % of the cases held the truth in 88.5 % of 1,000 test rows (86.3 to 90.0 %)."
    )
    assert _measured(0.9, 0.88, 0.92, in_sample=True).sentence == ""


def test_without_enough_rows_the_page_says_so(churn_evaluation: Evaluation) -> None:
    """A rule that could not be made leaves its reason."""
    few = Regions(0.9, None, "90 % of the cases cannot be promised from 5 groups; it takes at least 9.", 5)
    section = regions_section(dataclasses.replace(churn_evaluation, regions=few))

    assert section is not None
    assert (section.lead, section.blocks) == (few.reason, ())
