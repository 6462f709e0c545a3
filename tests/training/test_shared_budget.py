"""A budget that pays for nesting, repeats and seeds too: shared out in the plan, guarded by the clock, repeated by a replay."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.training.conftest import Trial
from tests.yard import Yard

from modelyard.core import ConfigError
from modelyard.data import Split
from modelyard.problem import Problem, Task
from modelyard.store import Workspace
from modelyard.training.engine import train
from modelyard.training.families.registry import FAMILIES
from modelyard.training.planning import Clock, Further, Size, Stage, WorkPlan, make_plan, shared_out
from modelyard.training.run import load_run

MakeSplit = Callable[..., tuple[Split, Problem]]
MakeTrial = Callable[..., Trial]
PLAN = {
    "folds": 2,
    "blend": False,
    "workers": 1,
    "unit_minutes": None,
    "budget": "30m",
    "families": ["linear", "lightgbm"],
}


def shared(budget_s: float, further: Further, rows: int = 5_000) -> WorkPlan:
    """The plan of all families for a table of 20 columns, with what is asked for beside one search."""

    def make(search_s: float) -> WorkPlan:
        size = Size(rows, 20)
        return make_plan(FAMILIES, Task.BINARY, size, 5, tuning_rounds=8, budget_s=search_s, workers=2)

    return shared_out(make, further, budget_s=budget_s, workers=2, rows=rows)


NESTED = Further(outer=(0.8,) * 5, words=("training.nested",))


def test_a_budget_is_shared_out_by_what_each_stage_is_predicted_to_take() -> None:
    """Five outer parts on four fifths of the rows take about as much as four searches, and nine tenths in all are planned."""
    plan = shared(300, NESTED)
    seconds = {stage.name: stage.seconds for stage in plan.stages}

    assert list(seconds) == ["search", "outer", "refit"]
    assert sum(seconds.values()) == pytest.approx(0.9 * 300, abs=0.01)
    assert 1 < seconds["outer"] / (5 * 0.8 * seconds["search"]) < 1.6
    assert plan.budget_s == 300
    assert plan == shared(300, NESTED)
    assert WorkPlan.from_dict(plan.to_dict()) == plan


def test_what_is_asked_for_shortens_the_search() -> None:
    """More outer parts, divisions and seeds leave time for fewer candidates; more time brings them back."""
    alone = len(shared(120, Further()).candidates)
    parts = len(shared(120, NESTED).candidates)
    everything = dataclasses.replace(NESTED, divisions=2, seeds=2)
    all_of_it = shared(120, everything)

    assert alone > parts > len(all_of_it.candidates) >= 1
    assert {stage.name for stage in all_of_it.stages} >= {"divisions", "seeds", "outer"}
    assert len(shared(1_200, everything).candidates) > len(all_of_it.candidates)


@pytest.mark.parametrize("budget_s", [1, 8])
def test_a_budget_that_holds_not_even_one_candidate_so_is_refused(budget_s: float) -> None:
    """With what is predicted for the shortest search, so that one knows what to ask for; that much is then accepted."""
    with pytest.raises(ConfigError, match=r"too short for training\.nested; got 8 s, where|got 1 s, where") as caught:
        shared(budget_s, NESTED)
    predicted = float(str(caught.value).partition("where ")[2].split()[0])

    assert shared(math.ceil(1.2 * predicted), NESTED).candidates


def test_stages_follow_one_another_on_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each ends at its share of what is left; what one leaves over is the next one's; the inner clock ends with its stage."""
    now = [100.0]
    monkeypatch.setattr("modelyard.training.planning.clock.time.monotonic", lambda: now[0])
    clock = Clock(100, workers=1)
    now[0] += 8
    clock.share_out([Stage("search", 30), Stage("seeds", 20), Stage("outer", 20), Stage("refit", 20)], 3.0)
    now[0] -= 3
    assert clock.left_s == pytest.approx(30)

    now[0] += 10  # the search ends early
    clock.begin("seeds")
    assert clock.left_s == pytest.approx(40)
    inner = clock.within("outer")
    assert inner.left_s == pytest.approx(60)
    inner.reserve_for(refit_seconds=5)
    assert inner.left_s == pytest.approx(60 - 2.6 * 5 - 0.05 * 60)

    clock.reserve_for(refit_seconds=20)
    assert clock.within("outer").left_s == pytest.approx(100 - 57 - 15)
    clock.begin("refit")
    assert clock.left_s == pytest.approx(100 - 57 - 15)
    assert Clock(None).within("outer").left_s == math.inf


def figures(run: Any) -> tuple[Any, ...]:
    """What a replay must repeat."""
    return run.winner, run.nested, run.repeats, run.seeds, {item.name: item.fold_scores for item in run.candidates}


def test_all_within_a_budget_and_again_without_a_clock(trial: MakeTrial) -> None:
    """Nesting, repeats and seeds are done, nothing is cut, and the replay gives the same to the last bit."""
    made = trial("churn", training={**PLAN, "nested": 2, "repeats": 2, "seeds": 2})
    run = made.train()
    again = made.repeat(run.record)
    record = run.record

    assert record.truncated == ""
    assert record.work is not None
    assert [stage.name for stage in record.work.stages] == ["search", "divisions", "seeds", "outer", "refit"]
    assert record.nested is not None
    assert (len(record.nested.parts), record.nested.mean is not None) == (2, True)
    assert record.repeats is not None
    assert (record.repeats.wanted, record.repeats.divisions) == (2, 2)
    assert record.seeds is not None
    assert figures(again.record) == figures(record)
    rows = made.split.validation.frame
    np.testing.assert_array_equal(again.model("final").predict(rows), run.model("final").predict(rows))


def test_an_outer_search_does_what_the_search_came_to(trial: MakeTrial, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock lets through the linear model alone; so no outer search tries another one."""
    made = trial("churn", training={**PLAN, "nested": 3})
    with monkeypatch.context() as patch:
        patch.setattr(Clock, "affords", lambda *_: False)
        record = made.train().record

    assert record.truncated.startswith("The budget of 1800 s ended the search after linear; not done: lightgbm")
    assert record.nested is not None
    assert record.nested.families == {"linear": 3}


def test_a_budget_that_ends_in_the_outer_loop_leaves_a_figure_of_what_is_done(
    trial: MakeTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third of four parts finds no time: the run is whole, says so, and a replay stops there too."""
    within, asked = Clock.within, list[str]()

    def twice(clock: Clock, stage: str) -> Clock:
        asked.append(stage)
        return within(clock, stage) if len(asked) <= 2 else Clock(0.0)

    made = trial("churn", training={**PLAN, "families": ["linear"], "nested": 4})
    with monkeypatch.context() as patch:
        patch.setattr(Clock, "within", twice)
        run = made.train().record
    again = made.repeat(run).record

    assert run.nested is not None
    assert (run.interrupted, len(run.nested.parts), run.nested.wanted) == (False, 2, 4)
    assert run.nested.mean == pytest.approx(np.mean([part.score or 0.0 for part in run.nested.parts]))
    assert run.nested.sentence.endswith("The budget ended it after 2 of 4 outer parts.")
    assert run.truncated.endswith("The budget ended nested cross-validation after 2 of 4 outer parts.")
    assert again.nested == run.nested


@pytest.mark.parametrize("stage", ["divisions", "seeds"])
def test_a_budget_that_ends_in_repeats_keeps_the_choice(
    trial: MakeTrial, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """No second division, or no second seed: the choice of one stands, the run says so, and a replay does the same."""
    begin = Clock.begin

    def over(clock: Clock, name: str) -> None:
        begin(clock, name)
        if name == stage:
            clock._stage = 0.0

    made = trial("churn", training={**PLAN, "repeats": 3, "seeds": 2})
    with monkeypatch.context() as patch:
        patch.setattr(Clock, "begin", over)
        run = made.train().record
    again = made.repeat(run).record
    said = {
        "divisions": "The budget ended the scoring on further divisions after 1 of 3.",
        "seeds": "The budget ended the fits with other seeds after 1 of 2; one seed is kept.",
    }

    assert run.truncated == said[stage]
    assert not run.interrupted
    assert (run.repeats is None, run.seeds is None) == (stage == "divisions", stage == "seeds")
    assert figures(again) == figures(run)


@pytest.mark.slow
def test_a_real_table_is_nested_in_time(tmp_path: Path) -> None:
    """Telco customers, 60 seconds, three outer parts: the time kept within a tenth, and a figure of two parts at least.

    On a machine that is busy with something else the clock may let through one; then the run says so and gives none.
    """
    yard = Yard(tmp_path)
    source = Path(__file__).parents[1] / "data" / "telco_churn.parquet"
    assert yard.new(source, "Churn", training={"families": "auto", "workers": 2, "nested": 3}).exit_code == 0
    answer = yard.run("train", "--budget", "60s")
    assert answer.exit_code == 0, answer.stderr
    run = load_run(answer.record["id"], Workspace(yard.root)).record

    assert run.seconds is not None
    assert run.seconds <= 66
    assert run.nested is not None
    if len(run.nested.parts) < 2:
        assert "gives no figure: the budget ended it after" in run.nested.sentence
        assert run.nested.sentence in run.why
    else:
        assert run.nested.mean == pytest.approx(run.candidate(run.winner).mean, abs=0.03)


def test_too_short_a_budget_is_refused_before_anything_is_trained(trial: MakeTrial) -> None:
    """One sentence with the cure; so are too many rows, where candidates would be compared on a part of them."""
    made = trial("churn", training={**PLAN, "budget": "3s", "nested": 5})
    with pytest.raises(
        ConfigError, match=r"training\.budget: the budget is too short for training\.nested; got 3 s.*Raise it"
    ):
        made.train()

    assert not list(made.workspace.folder("runs").glob("[!.]*"))


def test_many_rows_are_refused(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part and division would compare candidates on other rows than the search did."""
    monkeypatch.setattr("modelyard.training.preparation.race_rows", lambda size, *_, **__: size.rows // 4)
    split, problem = split_of(table, "churn", training={**PLAN, "nested": 5})
    with pytest.raises(ConfigError, match=r"too short for training\.nested with so many rows.*got 30m, 280 rows"):
        train(split, problem, workspace)
