"""The terminal shows what was asked of the choice: divisions, outer parts, and folds that differ."""

import datetime as dt
import io

from rich.console import Console

from modelyard.cli.show.modelling import show_training
from modelyard.problem import Task
from modelyard.training import Candidate, CandidateRole, CandidateStatus, TrainingRun
from modelyard.training.nesting import NestedScore, OuterPart
from modelyard.training.stability import Finalist, FoldSpread, Repeats


def shown(run: TrainingRun) -> str:
    """What the terminal prints."""
    console = Console(file=io.StringIO(), width=160)
    console.print(show_training(run))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def run_with(nested: NestedScore | None, repeats: Repeats | None, by_fold: FoldSpread | None) -> TrainingRun:
    """A run of one candidate."""
    role, done = CandidateRole.CANDIDATE, CandidateStatus.DONE
    linear = Candidate("linear", "linear", role, {}, done, (0.8, 0.82), 0.81, 0.0141, 1.0, 0.1, 1)
    return TrainingRun(
        id="run",
        dataset_id="data",
        split_id="split",
        task=Task.BINARY,
        target="y",
        metric="roc_auc",
        candidates=(linear,),
        winner="linear",
        why="linear wins.",
        classes=("no", "yes"),
        columns=(),
        seed=0,
        folds=2,
        environment={},
        created_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        interrupted=False,
        artefacts={},
        nested=nested,
        repeats=repeats,
        by_fold=by_fold,
    )


def test_nothing_is_shown_that_was_not_asked() -> None:
    """A plain run has its leaderboard only."""
    text = shown(run_with(None, None, None))

    assert "linear wins." in text
    assert "outer part" not in text
    assert "division" not in text


def test_divisions_and_outer_parts_have_a_line_each() -> None:
    """The means of each division, the winner and both figures of each outer part, and a part that failed with its reason."""
    parts = (OuterPart(80, 20, "blend", "blend", 0.8123, 0.7911), OuterPart(80, 20, error="memory was short"))
    nested = NestedScore("roc_auc", 2, parts, None, None, None, None, {"blend": 1}, "No figure.")
    repeats = Repeats(
        "roc_auc", 2, 2, (Finalist("linear", ((0.8, 0.82), (0.7, 0.74)), 0.765, 0.0636),), "a", "linear", ""
    )
    uneven = FoldSpread("linear", "roc_auc", 0.001, 0.1, True, "linear is unstable from fold to fold.")
    lines = shown(run_with(nested, repeats, uneven)).splitlines()

    assert any(line.split() == ["linear", "0.8100", "0.7200", "0.7650", "0.0636"] for line in lines)
    assert any(line.split() == ["outer", "part", "1", "blend", "0.8123", "0.7911"] for line in lines)
    assert any("memory was short" in line and line.rstrip().endswith("–") for line in lines)
    assert any("linear is unstable from fold to fold." in line for line in lines)
