from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from modelyard.problem import Problem
from modelyard.retraining.windows import WindowKind, WindowPolicy, WindowTrial
from modelyard.retraining.windows.backtest import KnownRows, blocks_of
from modelyard.retraining.windows.choosing import choose_among, simplest
from modelyard.retraining.windows.recipe import Recipe

Known = Callable[[pl.DataFrame], KnownRows]


def test_after_a_sudden_change_the_past_is_left_behind(
    stream: Any, known: Known, recipe: Recipe, problem: Problem
) -> None:
    """The outcome turns from one column to another: all rows are certainly worse than what forgets."""
    choice = choose_among(known(stream(1500, change=0.5)), recipe, problem)
    everything = choice.trials[0]

    assert choice.policy.kind in (WindowKind.SLIDING, WindowKind.WEIGHTED)
    assert (everything.policy.kind, everything.left_out) == (WindowKind.EXPANDING, "")
    assert everything.behind is not None
    assert everything.behind_error is not None
    assert everything.behind > max(0.05, everything.behind_error)
    assert choice.reason.startswith(choice.policy.words[:3].title()[:1])
    assert "all rows 0." in choice.reason


@pytest.mark.parametrize("seed", [1, 2])
def test_a_stationary_stream_keeps_all_rows(
    stream: Any, known: Known, recipe: Recipe, problem: Problem, seed: int
) -> None:
    """Nothing changes, so nothing is forgotten."""
    choice = choose_among(known(stream(2000, seed=seed)), recipe, problem)

    assert choice.policy == WindowPolicy()
    assert [trial.policy.kind for trial in choice.trials] == [
        WindowKind.EXPANDING,
        *2 * [WindowKind.SLIDING],
        *2 * [WindowKind.WEIGHTED],
    ]
    assert all(len(trial.by_block) == 8 for trial in choice.trials)


@pytest.mark.slow
def test_the_choice_is_the_same_each_time(stream: Any, known: Known, recipe: Recipe, problem: Problem) -> None:
    """All figures but the seconds."""
    first, second = (choose_among(known(stream(900, change=0.5)), recipe, problem) for _ in range(2))

    assert (first.policy, first.trials) == (second.policy, second.trials)


def test_too_few_rows_keep_all(stream: Any, known: Known, recipe: Recipe, problem: Problem) -> None:
    """There are no four blocks of fifty rows, and the reason says so."""
    choice = choose_among(known(stream(200, change=0.5)), recipe, problem)

    assert (choice.policy, choice.trials) == (WindowPolicy(), ())
    assert "200 are too few" in choice.reason


def test_blocks_do_not_divide_a_moment(known: Known) -> None:
    """A day's rows are all known or all predicted."""
    frame = pl.DataFrame({"at": [day for day in range(40) for _ in range(30)], "bought": 600 * ["yes", "no"]})
    rows = known(frame)
    blocks = blocks_of(rows)

    assert len(blocks) == 8
    assert all(block.begin % 30 == 0 and block.known == block.begin for block in blocks)
    assert blocks[-1].end == 1200


def test_rows_whose_labels_are_not_known_yet_are_not_learnt_from(known: Known) -> None:
    """With a gap of five days, the five days before a block are left out."""
    frame = pl.DataFrame({"at": [day for day in range(40) for _ in range(30)], "bought": 600 * ["yes", "no"]})
    rows = known(frame)
    late = KnownRows(rows.frame, rows.truth, rows.moments, gap=5.0)

    assert [block.begin - block.known for block in blocks_of(late)] == 8 * [4 * 30]


def test_a_class_that_is_gone_leaves_a_window_out(stream: Any, known: Known, recipe: Recipe, problem: Problem) -> None:
    """A window with one class cannot be learnt from; it is said, and the others compete."""
    frame = stream(2400).with_row_index("row")
    quiet = frame.with_columns(
        pl.when(pl.col("row").is_between(900, 1300)).then(pl.lit("no")).otherwise(pl.col("bought")).alias("bought")
    )
    choice = choose_among(known(quiet.drop("row")), recipe, problem)
    left_out = {trial.policy.rows: trial.left_out for trial in choice.trials if trial.left_out}

    assert left_out == {240: "it would have left one class to learn from"}
    assert choice.policy.kind in tuple(WindowKind)


def test_of_equals_the_simplest_is_taken() -> None:
    """Within one standard error of the best, in the order of simplicity."""

    def trial(policy: WindowPolicy, behind: float, error: float) -> WindowTrial:
        return WindowTrial(policy, 0.8, behind, error, 100, (0.8,))

    sliding, weighted = WindowPolicy(WindowKind.SLIDING, rows=100), WindowPolicy(WindowKind.WEIGHTED, rows=100)
    near = [trial(WindowPolicy(), 0.02, 0.03), trial(sliding, 0.0, 0.0)]
    far = [trial(WindowPolicy(), 0.02, 0.01), trial(sliding, 0.005, 0.01), trial(weighted, 0.0, 0.0)]

    assert simplest(near).policy == WindowPolicy()
    assert simplest(far).policy == sliding
