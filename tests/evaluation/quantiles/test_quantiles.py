"""Quantiles of a real life: calibrated on held-out rows, measured on the opened part, said where they are off."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.evaluation.conftest import price_table

from modelyard.conformal import QuantileRule, pinball_losses
from modelyard.core import Actor, ConfigError, Severity
from modelyard.core.actor import ActorSource
from modelyard.evaluation import BelowShare, Evaluation, LevelLoss, Quantiles
from modelyard.evaluation.evaluate import evaluate
from modelyard.evaluation.page.sureness import quantiles_section
from modelyard.evaluation.quantiles import quantile_findings
from modelyard.evaluation.quantiles.measure import measure_quantiles
from modelyard.evaluation.systems import WINNER, JudgedRows
from modelyard.report import Prose

ADA = Actor("ada", ActorSource.OS_USER, ("admin",))
LEVELS = (0.1, 0.5, 0.9)
Live = Callable[[pl.DataFrame, dict[str, Any]], Any]


def _table(rows: int, *, hard: float) -> pl.DataFrame:
    """A price by size, whose errors are skewed, grow with it, and are ``hard`` times as large in one region of four."""
    return price_table(rows, 5, hard, lambda generator, spread: spread * (generator.exponential(1, len(spread)) - 1))


def _question(levels: tuple[float, ...] = LEVELS, **data: Any) -> dict[str, Any]:
    columns = {"source": "t.parquet", "target": "price", "exclude": {"estate": "a name", "at": "a moment"}, **data}
    return {"data": columns, "segments": ["region"], "evaluation": {"quantiles": levels}}


@pytest.fixture(scope="module")
def uneven_life(live: Live) -> Any:
    """A table whose western prices scatter three times as much."""
    return live(_table(4000, hard=3.0), _question())


@pytest.fixture(scope="module")
def uneven(uneven_life: Any) -> Evaluation:
    """Its evaluation, the test part opened."""
    life = uneven_life
    return evaluate(life.run, life.split, life.problem, actor=ADA, reason="quantiles")


def test_levels_come_out_on_the_opened_part(uneven: Evaluation) -> None:
    """On 600 opened rows about 10, 50 and 90 % lie below; errors are skewed, and so are the quantiles."""
    quantiles = uneven.quantiles

    assert quantiles is not None
    assert quantiles.rule is not None
    assert quantiles.rule.levels == LEVELS
    assert quantiles.rule.scale is not None
    assert quantiles.rule.shifts[1] < 0
    assert quantiles.rule.shifts[2] > -1.2 * quantiles.rule.shifts[0]
    assert (quantiles.part, quantiles.in_sample, quantiles.units) == ("test", False, 600)
    assert [item.level for item in quantiles.overall] == list(LEVELS)
    assert all(abs(item.below - item.level) < 0.07 for item in quantiles.overall)
    assert quantiles.off == ()
    assert quantiles.reason.startswith("Calibrated on 600 validation rows. Promised are the stated shares of the cases")
    assert quantiles.sentence.startswith("Share of 600 test rows below the quantile at 0.1: ")


def test_misses_are_charged_and_compared(uneven: Evaluation) -> None:
    """The pinball loss has an interval around it, and is well below that of one value for all rows."""
    assert uneven.quantiles is not None
    for item in uneven.quantiles.losses:
        assert item.low is not None
        assert item.high is not None
        assert item.low < item.loss < item.high
        assert item.loss < 0.5 * item.plain


def test_a_segment_elsewhere_is_found_and_named(uneven: Evaluation) -> None:
    """The west reaches further on both sides: the first finding, before the other regions, and words on the page."""
    found = [finding for finding in uneven.findings if finding.id.startswith("quantiles")]
    section = quantiles_section(uneven)

    assert {(finding.id, finding.subject, finding.severity) for finding in found} == {
        ("quantiles-uneven", "region", Severity.WARNING)
    }
    assert found[0].evidence["value"] == "west"
    assert found[0].evidence["0.1"] > 0.15
    assert "at 0.1, which is too high" in found[0].message
    assert section is not None
    assert "**Elsewhere:** region is west at" in section.lead
    assert isinstance(section.blocks[0], Prose)
    assert "closer together where the model errs less" in section.blocks[0].text
    assert "`prediction_quantiles`" in section.blocks[0].text


def test_the_record_survives_json(uneven: Evaluation) -> None:
    """An evaluation with quantiles is the same after a journey through JSON; one of before reads as without."""
    old = {name: value for name, value in uneven.to_dict().items() if name != "quantiles"}

    assert Evaluation.from_dict(uneven.to_dict()) == uneven
    assert Evaluation.from_dict(old).quantiles is None


def test_nothing_is_said_where_nothing_was_asked(uneven_life: Any) -> None:
    """Without levels there are no quantiles, no section and no findings."""
    asked = uneven_life.problem.evaluation.model_copy(update={"quantiles": ()})
    problem = uneven_life.problem.model_copy(update={"evaluation": asked})
    evaluation = evaluate(uneven_life.run, uneven_life.split, problem, actor=ADA, reason=None)

    assert evaluation.quantiles is None
    assert quantiles_section(evaluation) is None
    assert [finding.id for finding in evaluation.findings if finding.id.startswith("quantiles")] == []


def test_groups_are_what_counts(live: Live) -> None:
    """60 estates are 60 units, too few for 1 %; the levels hold for new estates; the rest is told as asked."""
    question = _question((0.01, 0.1, 0.9), group="estate", exclude={"at": "a moment"})
    life = live(_table(1200, hard=1.0), question)
    evaluation = evaluate(life.run, life.split, life.problem, actor=ADA, reason="quantiles")
    quantiles = evaluation.quantiles

    assert quantiles is not None
    assert quantiles.rule is not None
    assert quantiles.rule.levels == (0.1, 0.9)
    assert 45 <= quantiles.units <= 55
    assert "of the rows of groups like these" in quantiles.reason
    assert f"{quantiles.units} groups are too few for the quantile at 0.01 (at least 99)." in quantiles.reason
    assert quantiles.off == ()


def test_time_promises_nothing(live: Live) -> None:
    """With too few validation rows the latest fold joins them, as for intervals; in sample the whole is not judged."""
    life = live(_table(1200, hard=1.0), _question(time="at", exclude={"estate": "a name"}))
    evaluation = evaluate(life.run, life.split, life.problem, actor=ADA, reason=None)
    quantiles = evaluation.quantiles

    assert quantiles is not None
    assert quantiles.units == 180 + 280
    assert "time keeps no promise" in quantiles.reason
    assert (quantiles.in_sample, quantiles.sentence, quantiles.off) == (True, "", ())


def test_classes_have_none(churn_life: Any) -> None:
    """Quantiles of classes are refused, also where the run alone knows that there are classes."""
    asked = churn_life.problem.evaluation.model_copy(update={"quantiles": LEVELS})
    problem = churn_life.problem.model_copy(update={"evaluation": asked})

    with pytest.raises(ConfigError, match=r"only regression has quantiles.*task: binary"):
        evaluate(churn_life.run, churn_life.split, problem, actor=ADA, reason=None)


def _measured(truth: list[float], *, part: str = "test", units: int = 900) -> Quantiles:
    """Shares of ``truth`` below the quantiles -1, 0 and 1 of a model that says 0 of every row."""
    values = np.array(truth)
    frame = pl.DataFrame({"side": ["left", "right"] * (len(truth) // 2)})
    rows = JudgedRows(part, frame, values, {WINNER: np.zeros(len(truth))})
    asked = Quantiles(LEVELS, QuantileRule(LEVELS, (-1.0, 0.0, 1.0)), "Calibrated.", units, (-2.0, 0.0, 2.0))
    found = measure_quantiles(asked, rows, ["side", "absent"], confidence=0.95, seed=0)
    assert found is not None
    return found


def test_shares_are_counted() -> None:
    """Of 1,000 even steps from -1.25 to 1.25 a tenth is below -1, half below 0, nine tenths below 1: all is quiet."""
    quantiles = _measured(list(np.linspace(-1.25, 1.25, 1000)))

    assert [round(item.below, 3) for item in quantiles.overall] == [0.1, 0.5, 0.9]
    assert len(quantiles.segments) == 6
    assert list(quantile_findings(quantiles, "test")) == []


def test_quantiles_that_are_off_are_a_finding() -> None:
    """If values came out higher than ever, all three quantiles are too low, and one finding says so with figures."""
    off, *segments = quantile_findings(_measured(list(np.linspace(-1, 1.6, 1000))), "test")
    in_sample = _measured(list(np.linspace(-1, 1.6, 1000)), part="validation")

    assert (off.id, off.subject) == ("quantiles-off", "all rows")
    assert "at 0.9, which is too low" in off.message
    assert off.evidence["0.5"] == pytest.approx(0.385, abs=0.002)
    assert [finding.id for finding in segments] == ["quantiles-uneven"] * 2
    assert [finding.id for finding in quantile_findings(in_sample, "validation")] == ["quantiles-uneven"] * 2
    assert list(quantile_findings(None, "test")) == []


def test_values_that_equal_their_quantile_count_for_both_sides() -> None:
    """Where 60 % of the rows are exactly the median, neither 80 % below it nor 20 % is wrong."""
    quantiles = _measured([-1.1] * 100 + [-0.5] * 100 + [0.0] * 600 + [0.5] * 100 + [1.1] * 100)
    middle = quantiles.overall[1]

    assert middle.below == 0.8
    assert middle.low < 0.2
    assert not middle.strays(900)


def test_the_loss_by_hand() -> None:
    """A truth 2 above the quantile at 0.9 costs 1.8, one 2 below 0.2; at 0.5 it is half the absolute error."""
    truth = np.array([3.0, -1.0])

    np.testing.assert_allclose(pinball_losses(truth, np.array([1.0, 1.0]), 0.9), [1.8, 0.2])
    np.testing.assert_allclose(pinball_losses(truth, np.array([1.0, 1.0]), 0.5), np.abs(truth - 1) / 2)


def test_a_model_without_errors_has_no_loss() -> None:
    """No loss at all is a figure like any other, and nothing divides by it."""
    rows = JudgedRows("test", pl.DataFrame({"a": range(80)}), np.arange(80.0), {WINNER: np.arange(80.0)})
    asked = Quantiles((0.5,), QuantileRule((0.5,), (0.0,)), "Calibrated.", 80, (40.0,))
    found = measure_quantiles(asked, rows, [], confidence=0.95, seed=0)

    assert found is not None
    assert found.losses[0].loss == 0
    assert found.losses[0].plain > 0
    assert found.off == ()


def test_without_enough_rows_the_page_says_so(uneven: Evaluation) -> None:
    """Levels that no row can bear leave their reason; one level alone is told without a line."""
    few = Quantiles((0.001,), None, "5 rows are too few for the quantile at 0.001 (at least 999).", 5)
    one = Quantiles(
        (0.9,),
        QuantileRule((0.9,), (1.0,)),
        "Calibrated.",
        600,
        (2.0,),
        "test",
        overall=(BelowShare("", "", 600, 0.9, 0.89, 0.86, 0.92),),
        losses=(LevelLoss(0.9, 0.5, 0.4, 0.6, 1.0),),
    )
    empty = quantiles_section(dataclasses.replace(uneven, quantiles=few))
    alone = quantiles_section(dataclasses.replace(uneven, quantiles=one))

    assert empty is not None
    assert (empty.lead, empty.blocks) == (few.reason, ())
    assert alone is not None
    assert len(alone.blocks) == 2
    assert "89\u202f% below the quantile at 0.9" in alone.lead
