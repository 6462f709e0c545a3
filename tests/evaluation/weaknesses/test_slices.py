"""Planted weak slices are found by search; a model that is equally good everywhere has none."""

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from modelyard.evaluation import Evaluation, evaluation_page
from modelyard.evaluation.findings import evaluation_findings
from modelyard.evaluation.systems import JudgedRows
from modelyard.evaluation.weaknesses.slices import find_weak_slices
from modelyard.problem import Problem
from modelyard.report import render_markdown

if TYPE_CHECKING:
    from tests.life import Life

COLUMNS = ["region", "plan", "age", "tenure"]


def problem_with(task: str = "binary", **more: Any) -> Problem:
    """A problem by its task."""
    return Problem.model_validate({"task": task, "data": {"source": "t.csv", "target": "y"}, **more})


def table(rows: int, generator: np.random.Generator) -> pl.DataFrame:
    """Two categories and two numbers, independent of each other."""
    return pl.DataFrame(
        {
            "region": generator.choice(["north", "south", "east", "west"], rows),
            "plan": generator.choice(["basic", "plus"], rows),
            "age": generator.integers(18, 90, rows),
            "tenure": generator.random(rows) * 10,
        }
    )


def judged(rows: int, seed: int, bad: pl.Expr | None = None) -> JudgedRows:
    """Calibrated scores of a base rate that depends on nothing; where ``bad`` they are scores of other rows."""
    generator = np.random.default_rng(seed)
    frame = table(rows, generator)
    probability = generator.beta(1.5, 2.5, rows)
    truth = (generator.random(rows) < probability).astype(float)
    if bad is not None:
        weak = frame.select(bad).to_series().to_numpy()
        probability = np.where(weak, generator.permutation(probability), probability)
    return JudgedRows("validation", frame, truth, {"winner": probability}, 0.4)


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "accuracy", "mcc", "brier"])
def test_a_planted_slice_of_one_column_is_found(metric: str) -> None:
    """Scores in the east are worthless: it is found first, whatever the metric, with its rows and figures."""
    rows = judged(3000, 1, pl.col("region") == "east")
    found = find_weak_slices(problem_with(metrics={"primary": metric}), rows, COLUMNS, seed=0)
    worst = found.slices[0]

    assert worst.name == "region is east"
    assert worst.rows == (rows.frame["region"] == "east").sum()
    assert worst.p_value <= 0.01
    assert worst.low is not None
    assert worst.low < (worst.score or 0) < (worst.high or 0)
    assert found.searched > 50


def test_a_planted_pair_is_found_where_no_column_alone_shows_it() -> None:
    """Young customers of the plan "plus" are ranked backwards: the pair comes first."""
    rows = judged(4000, 2, (pl.col("age") < 36) & (pl.col("plan") == "plus"))
    found = find_weak_slices(problem_with(), rows, COLUMNS, seed=0)

    assert set(found.slices[0].columns) == {"plan", "age"}
    assert "plus" in found.slices[0].values
    assert found.score is not None
    assert (found.slices[0].high or 1) < found.score
    assert len(found.slices) == 1


def test_values_and_groups() -> None:
    """Errors three times as large in the west are found in a regression whose rows come in groups."""
    generator = np.random.default_rng(3)
    frame = table(2000, generator)
    truth = generator.normal(size=2000)
    size = np.where(frame["region"].to_numpy() == "west", 3.0, 1.0)
    guess = truth + size * generator.normal(size=2000)
    rows = JudgedRows("validation", frame, truth, {"winner": guess}, units=np.arange(2000) // 10)
    found = find_weak_slices(problem_with("regression"), rows, COLUMNS, seed=0)

    assert found.slices[0].name == "region is west"
    assert found.slices[0].score == pytest.approx(3.0, abs=0.3)


def test_an_equally_good_model_is_left_alone() -> None:
    """The chance of any weak slice is 5 %: of 100 quiet tables at most ten show one, more than 10 being 1 % likely."""
    alarms = [
        bool(find_weak_slices(problem_with(), judged(600, seed), COLUMNS, seed=seed).slices) for seed in range(100)
    ]

    assert sum(alarms) <= 10


def test_groups_that_err_alike_are_left_alone() -> None:
    """Groups with errors and columns of their own: no alarm in at least 27 of 30 tables, if the groups are known."""
    alarms = []
    for seed in range(30):
        generator = np.random.default_rng(seed)
        units = np.repeat(np.arange(80), 10)
        frame = table(80, generator)[units]
        error = generator.normal(size=80)[units] + 0.3 * generator.normal(size=800)
        rows = JudgedRows("validation", frame, np.zeros(800), {"winner": error}, units=units)
        problem = problem_with("regression", metrics={"primary": "mae"})
        alarms.append(bool(find_weak_slices(problem, rows, COLUMNS, seed=seed).slices))

    assert sum(alarms) <= 3


def test_nothing_to_search_is_said_plainly() -> None:
    """Too few rows, or a model without a mistake, give an empty search."""
    few = find_weak_slices(problem_with(), judged(40, 0), COLUMNS, seed=0)
    truth = np.tile([0.0, 1.0], 200)
    perfect = JudgedRows("validation", table(400, np.random.default_rng(0)), truth, {"winner": truth})

    assert (few.searched, few.slices) == (0, ())
    assert find_weak_slices(problem_with(), perfect, COLUMNS, seed=0).slices == ()


def test_the_page_and_the_findings_tell_it(churn_evaluation: Evaluation, churn_life: "Life") -> None:
    """A weak slice is one finding and a row of the table; a record of an earlier version says nothing."""
    import dataclasses

    rows = judged(3000, 1, pl.col("region") == "east")
    search = find_weak_slices(problem_with(), rows, COLUMNS, seed=0)
    told = dataclasses.replace(churn_evaluation, weak_slices=search)
    old = dataclasses.replace(churn_evaluation, weak_slices=None, errors=None)
    declared = dataclasses.replace(told.segments[0], column="region")
    judged_there = dataclasses.replace(told, segments=(declared,))
    (finding,) = [item for item in evaluation_findings(told) if item.id == "weak-slice"]
    pages = [
        render_markdown(evaluation_page(item, churn_life.run.record, churn_life.problem, None)) for item in (told, old)
    ]

    assert finding.subject == "region is east"
    assert f"({search.slices[0].rows:,} rows of validation)" in finding.message
    assert ["| region is east | " in page for page in pages] == [True, False]
    for quiet in (old, judged_there):
        assert [item.id for item in evaluation_findings(quiet) if item.id == "weak-slice"] == []
