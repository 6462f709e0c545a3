"""The whole search, scored on rows that no part of it has seen: honest on noise, repeatable, resumed, groups and time kept."""

import dataclasses
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl
import pytest

from modelyard.core import DataError, ProgressEvent, silent
from modelyard.data import Split, load_split
from modelyard.features import EncodingStyle
from modelyard.problem import Problem
from modelyard.store import Workspace
from modelyard.training.engine import repeat, train
from modelyard.training.families.family import Family
from modelyard.training.metrics import score
from modelyard.training.model import FittedModel
from modelyard.training.nesting import NestedScore
from modelyard.training.nesting.outer import Outer, OuterWinner, nested_score, plan_outer
from modelyard.training.preparation import prepare
from modelyard.training.records import Candidate, CandidateRole, CandidateStatus
from modelyard.training.run import load_run

MakeSplit = Callable[..., tuple[Split, Problem]]
Families = Mapping[str, Family]
PLAN = {"folds": 3, "tuning_rounds": 0, "workers": 1, "families": ["linear", "random_forest"], "nested": 3}


def nested_of(split: Split, problem: Problem, workspace: Workspace, families: Families) -> NestedScore:
    """The nested score of a run, which is there."""
    found = train(split, problem, workspace, families=families).record.nested
    assert found is not None
    return found


def test_the_whole_search_is_scored_outside_of_each_part(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """Three parts of all training rows, each with a winner and a score; the run says it, and keeps it on disk."""
    split, problem = split_of(table, "churn", training=PLAN)
    run = train(split, problem, workspace, families=quick_families)
    plain = train(
        split, split_of(table, "churn", training={**PLAN, "nested": None})[1], workspace, families=quick_families
    )
    found = run.record.nested
    assert found is not None
    scores = [part.score for part in found.parts]

    assert sum(part.held for part in found.parts) == len(split.train.frame)
    assert all(part.learnt + part.held == len(split.train.frame) for part in found.parts)
    assert found.mean == pytest.approx(np.mean([score or 0.0 for score in scores]))
    assert found.mean == pytest.approx(run.record.candidate(run.record.winner).mean, abs=0.06)
    assert sum(found.families.values()) == 3
    assert "Nested cross-validation, the whole search 3 times" in run.record.why
    assert found.mean is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.mean < found.high
    assert load_run(run.record.id, workspace).record.nested == found
    assert plain.record.nested is None
    assert plain.record.candidates[0].fold_scores == run.record.candidates[0].fold_scores
    assert run.record.candidate("linear").fold_scores == plain.record.candidate("linear").fold_scores


def test_the_same_run_twice_is_equal_to_the_last_bit(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """Seeds, folds and searches of the parts hang on the seed of the run alone; another seed gives other parts."""
    plan = {**PLAN, "families": ["linear"], "tuning_rounds": 1}
    split, problem = split_of(table, "amount", training=plan)
    other = problem.with_values(training={**plan, "seed": 1})
    first, second = (nested_of(split, problem, workspace, quick_families) for _ in range(2))

    assert first == second
    assert nested_of(split, other, workspace, quick_families).parts != first.parts


def picks_the_luckiest(folder: Path, frame: pl.DataFrame, part: Outer, progress: object) -> OuterWinner:
    """A search that believes its folds: of forty columns the one with the best mean AUC predicts."""
    columns = [name for name in frame.columns if name.startswith("coin")]
    setup = part.setup
    truth, answers = setup.truth, {name: frame[name].to_numpy() for name in columns}
    means = {
        name: float(np.mean([score("roc_auc", truth[fold.held], values[fold.held]) for fold in setup.plan.folds]))
        for name, values in answers.items()
    }
    best = max(means, key=means.__getitem__)
    role, done = CandidateRole.CANDIDATE, CandidateStatus.DONE
    candidate = Candidate(best, "coin", role, {}, done, (), means[best], 0.0, 0.0, None, 1)
    return OuterWinner(candidate, cast("FittedModel", Coin(best)))


@dataclasses.dataclass(frozen=True)
class Coin:
    """Predicts with a column as it is."""

    column: str

    def predict(self, frame: pl.DataFrame) -> np.ndarray:
        """The column."""
        return frame[self.column].to_numpy()


def test_noise_is_worth_nothing_however_many_were_tried(tmp_path: Path, split_of: MakeSplit) -> None:
    """The luckiest of forty coins on a hundred rows looks good on the folds that picked it, and is a coin outside."""
    looked, worth = [], []
    for seed in range(6):
        generator = np.random.default_rng(seed)
        coins = {f"coin{index}": generator.random(160) for index in range(40)}
        frame = pl.DataFrame({**coins, "y": generator.permutation(["yes", "no"] * 80)})
        split, problem = split_of(frame, "y", training={**PLAN, "nested": 5})
        setup = prepare(split, problem)
        place = tmp_path / str(seed)
        found = nested_score(plan_outer(setup), setup, split.train.frame, place, picks_the_luckiest, {}, silent)
        looked.append(np.mean([part.claimed for part in found.parts if part.claimed is not None]))
        worth.append(found.mean or 0.0)

    assert np.mean(looked) > 0.61
    assert np.mean(worth) == pytest.approx(0.5, abs=0.05)


def test_what_an_encoder_could_leak_is_not_rewarded(
    workspace: Workspace, split_of: MakeSplit, quick_families: Families
) -> None:
    """A column of two rows a name tells a target of noise if its means are learnt on all rows, and nothing outside of them."""
    generator = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "shop": [f"shop {index // 3}" for index in range(420)],
            "size": generator.normal(size=420),
            "y": generator.permutation(["yes", "no"] * 210),
        }
    )
    split, problem = split_of(
        frame, "y", data={"types": {"shop": "category"}}, training={**PLAN, "families": ["linear", "lightgbm"]}
    )
    setup = prepare(split, problem)
    encoder = setup.learning.encoder(EncodingStyle.TREE)
    encoder.fit(split.train.frame, setup.truth)
    leaky = encoder.transform(split.train.frame)
    known = max(score("roc_auc", setup.truth, np.nan_to_num(column)) for column in leaky.T)
    found = nested_of(split, problem, workspace, quick_families)

    assert known > 0.75
    assert found.mean == pytest.approx(0.5, abs=0.06)


def test_everything_together_is_repeated_to_the_last_bit(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """Outer parts search with repeats and seeds of their own; a replay gives every figure again."""
    families = {name: quick_families[name] for name in ("linear", "random_forest")}
    split, problem = split_of(table, "amount", training={**PLAN, "nested": 2, "repeats": 2, "seeds": 2})
    run = train(split, problem, workspace, families=families).record
    again = repeat(run, split, problem, workspace, families=families).record
    assert run.repeats is not None
    assert run.seeds is not None

    assert run.nested is not None
    assert (run.nested.low, run.nested.high) == (None, None)
    assert "too few parts for an interval" in run.why
    assert again.nested == run.nested
    assert (again.repeats, again.seeds, again.winner) == (run.repeats, run.seeds, run.winner)
    assert run.why.index("Within noise of the best") < run.why.index("seed") < run.why.index("Nested")


def test_groups_never_straddle(split_of: MakeSplit, table: pl.DataFrame) -> None:
    """No household is on both sides of an outer part, nor on both sides of a fold within."""
    split, problem = split_of(table, "churn", data={"group": "household"}, training=PLAN)
    households = split.train.frame["household"].to_numpy()
    parts = plan_outer(prepare(split, problem))

    assert len(parts) == 3
    for part in parts:
        inside = households[part.learn]
        assert not set(inside) & set(households[part.held])
        for fold in part.setup.plan.folds:
            assert not set(inside[fold.train]) & set(inside[fold.held])


def test_outer_parts_walk_forward_in_time(split_of: MakeSplit, table: pl.DataFrame) -> None:
    """Each part is later than all that its search learns from, and so are its folds; the gap is kept."""
    split, problem = split_of(table, "churn", data={"time": "day"}, split={"gap": 3}, training=PLAN)
    days = split.train.frame["day"].to_numpy()
    parts = plan_outer(prepare(split, problem))

    assert len(parts) == 3
    for part in parts:
        inside = days[part.learn]
        assert inside.max() <= days[part.held].min() - 3
        for fold in part.setup.plan.folds:
            assert inside[fold.train].max() <= inside[fold.held].min() - 3


def test_too_few_rows_are_refused_before_anything_is_fitted(split_of: MakeSplit) -> None:
    """Rows enough for folds, but not for folds within parts."""
    frame = pl.DataFrame({"x": np.arange(60.0) % 7, "y": ["no"] * 57 + ["yes"] * 3})
    split, problem = split_of(frame, "y", training={**PLAN, "folds": 2})
    with pytest.raises(DataError, match=r"training\.nested, part 1 of 2.*cannot be divided into folds of their own"):
        plan_outer(prepare(split, problem))


def test_a_course_has_no_outer_parts() -> None:
    """The project file is refused with the reason and the cure."""
    data = {"source": "table", "target": "y"}
    with pytest.raises(ValueError, match=r"training\.nested: the candidates of a clustering task"):
        Problem.model_validate({"data": data, "task": "clustering", "training": {"nested": 5}})


@pytest.mark.slow
def test_ctrl_c_in_an_outer_part_keeps_what_is_done(
    workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, quick_families: Families
) -> None:
    """The run has a winner and says that the nested figure is missing; the next call does the rest only."""
    split, problem = split_of(table, "churn", training=PLAN)

    def press(event: ProgressEvent) -> None:
        if event.step == "outer 2/3" and "fold 2" in event.message:
            raise KeyboardInterrupt

    stopped = train(split, problem, workspace, progress=press, families=quick_families).record
    events: list[ProgressEvent] = []
    continued = train(split, problem, workspace, progress=events.append, families=quick_families).record
    whole = train(split, problem, workspace, families=quick_families, resume=False).record

    assert stopped.interrupted
    assert stopped.winner == whole.winner
    assert stopped.nested is not None
    assert stopped.nested.mean is None
    assert "gives no figure: it was stopped after 1 of 3 outer parts" in stopped.why
    assert {event.step for event in events if event.step.startswith("outer")} == {"outer 2/3", "outer 3/3"}
    assert sum("finished before" in event.message for event in events if event.step == "outer 2/3") == 2
    assert continued.nested == whole.nested
    assert not continued.interrupted


KILLED = """
    import sys
    from pathlib import Path
    from modelyard.data import load_split
    from modelyard.problem import Problem
    from modelyard.store import Workspace
    from modelyard.training.engine import repeat, train
    from modelyard.training.families.linear import Linear

    workspace = Workspace(Path(sys.argv[1]))
    show = lambda event: print(event.step, event.message, flush=True)
    train(load_split(sys.argv[3], workspace), Problem.model_validate_json(sys.argv[2]), workspace, progress=show,
          families={"linear": Linear()})
"""


@pytest.mark.slow
def test_a_kill_in_the_outer_loop_resumes(workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame) -> None:
    """SIGKILL within the second part: the next call leaves the first part alone and ends with equal scores."""
    from modelyard.training.families.linear import Linear

    split, problem = split_of(table, "churn", training={**PLAN, "families": ["linear"]})
    arguments = [str(workspace.root), problem.model_dump_json(), split.record.id]
    driver = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), *arguments], stdout=subprocess.PIPE, text=True
    )
    assert driver.stdout is not None
    for line in driver.stdout:
        if line.startswith("outer 2/3"):
            break
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    driver.stdout.close()
    events: list[ProgressEvent] = []
    again = load_split(split.record.id, workspace)
    resumed = train(again, problem, workspace, progress=events.append, families={"linear": Linear()}).record
    whole = train(split, problem, workspace, resume=False, families={"linear": Linear()}).record

    assert "outer 1/3" not in {event.step for event in events}
    assert sum("finished before" in event.message for event in events) >= 4
    assert resumed.nested == whole.nested
    assert resumed.winner == whole.winner
