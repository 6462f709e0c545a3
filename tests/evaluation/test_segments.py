"""Every value of a declared column is shown, with its size; small ones are marked, not hidden."""

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.evaluation.segments import mostly_chance, score_segments, segment_labels
from modelyard.evaluation.systems import JudgedRows
from modelyard.problem import Problem, Task
from modelyard.training.metrics import score


def problem_with(task: str = "binary", **more: Any) -> Problem:
    """A problem whose segments are named by the caller."""
    return Problem.model_validate({"task": task, "data": {"source": "t.csv", "target": "y"}, **more})


def judged(rows: int = 600) -> JudgedRows:
    """Scores that are good in the north, worthless in the south, and a tiny east."""
    generator = np.random.default_rng(0)
    region = np.array(["north"] * (rows // 2) + ["south"] * (rows // 2 - 20) + ["east"] * 20)
    truth = (generator.random(rows) < 0.4).astype(float)
    signal = np.where(region == "north", 0.5 * truth, 0.0)
    frame = pl.DataFrame({"region": region, "age": generator.integers(18, 90, rows)})
    return JudgedRows("validation", frame, truth, {"winner": 0.2 + signal + 0.2 * generator.random(rows)}, 0.4)


def test_each_value_is_scored_on_its_own_rows() -> None:
    """The figure of a segment is the metric of its rows, its interval around it; the largest segment comes first."""
    rows = judged()
    found = score_segments(problem_with(), rows, ["region"], confidence=0.95, seed=0)
    north = (rows.frame["region"] == "north").to_numpy()

    assert [(item.value, item.rows) for item in found] == [("north", 300), ("south", 280), ("east", 20)]
    assert found[0].score == score("roc_auc", rows.truth[north], rows.predictions["winner"][north]) == 1.0
    assert found[1].low is not None
    assert found[1].high is not None
    assert found[1].low < 0.5 < found[1].high < 0.65


def test_small_segments_are_marked() -> None:
    """Fewer than 50 rows carry a note; others do not."""
    notes = {
        item.value: item.note for item in score_segments(problem_with(), judged(), ["region"], confidence=0.95, seed=0)
    }

    assert notes == {"north": "", "south": "", "east": "small: 20 rows, mostly chance"}


def test_one_row_of_a_class_proves_nothing() -> None:
    """155 stay and the one who leaves is ranked low: an interval far below the average, and no reason to warn."""
    truth = np.repeat([1.0, 0.0], [1, 155])
    scores = np.concatenate([[0.3], np.linspace(0, 1, 155)])
    rows = JudgedRows("test", pl.DataFrame({"a": ["x"] * 156}), truth, {"winner": scores}, 0.5)
    (ranked,) = score_segments(problem_with(), rows, ["a"], confidence=0.95, seed=0)

    assert ranked.note == "small: 1 row of the rarer class, mostly chance"
    assert mostly_chance("accuracy", Task.BINARY, truth) == ""
    assert mostly_chance("roc_auc", Task.BINARY, np.repeat([1.0, 0.0], [10, 40])) == ""
    assert mostly_chance("mae", Task.REGRESSION, np.zeros(50)) == ""
    assert mostly_chance("mae", Task.REGRESSION, np.zeros(49)) != ""


def test_rates_for_fairness() -> None:
    """Selection, true and false positive rates of a protected column, counted by hand."""
    truth = np.array([1.0, 1, 0, 0, 1, 0, 0, 0])
    rows = JudgedRows(
        "test",
        pl.DataFrame({"sex": ["f"] * 4 + ["m"] * 4}),
        truth,
        {"winner": np.array([0.9, 0.1, 0.8, 0.2, 0.7, 0.1, 0.1, 0.1])},
        0.5,
    )
    women, men = score_segments(problem_with(protected=["sex"]), rows, ["sex"], confidence=0.95, seed=0)

    assert (women.selection_rate, women.true_positive_rate, women.false_positive_rate) == (0.5, 0.5, 0.5)
    assert (men.selection_rate, men.true_positive_rate, men.false_positive_rate) == (0.25, 1.0, 0.0)
    assert (women.protected, women.base_rate, men.base_rate) == (True, 0.5, 0.25)


def test_a_segment_of_one_class_says_so() -> None:
    """Ranking is undefined there: no figure, but the rows are listed."""
    rows = JudgedRows("test", pl.DataFrame({"a": ["x"] * 60}), np.zeros(60), {"winner": np.linspace(0, 1, 60)}, 0.5)
    (only,) = score_segments(problem_with(), rows, ["a", "absent", "a"], confidence=0.95, seed=0)

    assert (only.score, only.low, only.note) == (None, None, "undefined: only one class here")
    assert only.true_positive_rate is None


def test_numbers_are_cut_at_quartiles_in_their_order() -> None:
    """Many distinct numbers make four ranges without gaps, smallest first; missing ones come last."""
    values = pl.Series("age", [*range(100), None])
    rows = JudgedRows("test", values.to_frame(), np.zeros(101), {"winner": np.zeros(101)})
    found = score_segments(problem_with("regression"), rows, ["age"], confidence=0.95, seed=0)

    assert [item.value for item in found] == ["0 to 25", "26 to 50", "51 to 74", "75 to 99", "(missing)"]
    assert [item.rows for item in found] == [26, 25, 24, 25, 1]


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([1, 2, None], ["1", "2", "(missing)"]),
        ([0.5, 1.0, 0.5], ["0.5", "1", "0.5"]),
        ([True, False, None], ["true", "false", "(missing)"]),
        ([dt.date(2024, 5, 1), dt.date(2024, 6, 2), None], ["2024-05", "2024-06", "(missing)"]),
        ([dt.date(2020, 5, 1), dt.date(2021, 6, 2), dt.date(2022, 1, 1)], ["2020", "2021", "2022"]),
    ],
)
def test_labels_are_what_people_write(values: list[Any], labels: list[str]) -> None:
    """Few numbers stay as they are, dates become months or years, missing values have a name."""
    assert segment_labels(pl.Series(values)).to_list() == labels


def test_rare_values_are_taken_together() -> None:
    """Beyond twenty values the rarer share one segment."""
    values = pl.Series([f"v{index % 25:02}" for index in range(200)])
    labels = segment_labels(values)

    assert labels.n_unique() == 21
    assert (labels == "(other values)").sum() == 40


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=60))
@settings(max_examples=40, deadline=None)
def test_every_row_has_one_segment(values: list[float | None]) -> None:
    """Whatever the numbers, each row gets a label, and rows of one value the same."""
    series = pl.Series(values, dtype=pl.Float64)
    labels = segment_labels(series)

    assert labels.null_count() == 0
    assert len(labels) == len(values)
    assert len({(value, label) for value, label in zip(values, labels, strict=True)}) == len(set(values))
