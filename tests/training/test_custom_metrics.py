"""Metrics of one's own: they go where the others go, and are refused clearly where they cannot."""

import dataclasses
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from modelyard.core import Actor, ConfigError
from modelyard.data import Split
from modelyard.evaluation.comparison import compare
from modelyard.evaluation.evaluate import evaluate
from modelyard.evaluation.intervals import bootstrap_interval
from modelyard.problem import MetricInput, MetricSpec, Problem, Task, declare_metrics, lint_problem, load_problem
from modelyard.problem.schema import Metrics
from modelyard.store import Workspace
from modelyard.training.engine import train
from modelyard.training.executor import InProcessExecutor, LocalPoolExecutor
from modelyard.training.metrics import score, score_weighted

MakeSplit = Callable[..., tuple[Split, Problem]]
PLAN = {
    "folds": 3,
    "tuning_rounds": 0,
    "families": ["linear", "decision_tree"],
    "learning_curve": True,
    "blend": False,  # which has no learning curve
}

MODULE = """
    import numpy as np

    def gain_at_10(truth, prediction):
        "What acting on the tenth with the highest chances earns, a row."
        acted = np.argsort(-prediction, kind="stable")[: max(1, len(truth) // 10)]
        return float(np.where(truth[acted] == 1, 100.0, -20.0).sum() / len(truth))

    def hits(truth, label, weights):
        return (weights * (truth == label)).sum() / weights.sum()

    def squared(truth, value, sample_weight):
        return np.average((truth - value) ** 2, weights=sample_weight)

    def raises(truth, prediction):
        return 1 / 0

    def picky(truth, prediction):
        if len(np.unique(prediction)) == 1:
            raise ValueError("all alike")
        return 0.5

    def nothing(truth, prediction):
        return None

    def nan(truth, prediction):
        return float("nan")

    def endless(truth, prediction):
        return float("inf")

    def meddling(truth, prediction):
        truth[:] = 0
        return 1.0

    constant = 3
"""


@pytest.fixture
def project(workspace: Workspace) -> Path:
    """The project's folder, with ``my_metrics.py``."""
    (workspace.root / "my_metrics.py").write_text(textwrap.dedent(MODULE), encoding="utf-8")
    return workspace.root


def declared(name: str, project: Path, input_: MetricInput = MetricInput.PROBABILITY, **others: Any) -> str:
    """Make a function known as a metric of the same name."""
    tasks = (Task.REGRESSION,) if input_ is MetricInput.VALUE else (Task.BINARY, Task.MULTICLASS)
    declare_metrics([MetricSpec(name, name, True, input_, tasks, f"my_metrics.{name}", **others)], project)
    return name


def test_it_selects_and_guards_through_the_whole_life(
    project: Path, workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, actor: Actor
) -> None:
    """Fold scores are the function's own; the evaluation has its interval, and a guardrail on another one holds."""
    metrics = {
        "primary": "gain_at_10",
        "custom": {
            "gain_at_10": {"path": "my_metrics.gain_at_10", "greater_is_better": True, "title": "Gain at 10 %"},
            "right": {"path": "my_metrics.hits", "greater_is_better": True, "input": "label"},
        },
        "guardrails": {"right": ">= 0.99"},
    }
    split, problem = split_of(table, "churn", data={"positive": "yes"}, metrics=metrics, training=PLAN)
    run = train(split, problem, workspace, executor=InProcessExecutor())
    linear = run.record.candidate("linear")
    truth = (split.train.frame["churn"] == "yes").to_numpy().astype(np.float64)
    held = [run.fold_of_row() == fold for fold in range(3)]
    expected = [score("gain_at_10", truth[rows], run.out_of_fold("linear")[rows]) for rows in held]

    assert run.record.metric == "gain_at_10"
    assert sorted(linear.fold_scores) == pytest.approx(sorted(expected))
    assert run.record.learning_curve is not None
    assert "Gain at 10 %" in run.record.why

    found = evaluate(run, split, problem, actor=actor, reason=None)
    values = {item.name: item for item in found.validation[-1].metrics}

    assert values["gain_at_10"].value is not None
    assert values["gain_at_10"].low is not None
    assert values["gain_at_10"].high is not None
    assert values["gain_at_10"].low < values["gain_at_10"].value < values["gain_at_10"].high
    assert [(item.metric, item.met) for item in found.guardrails] == [("right", False)]
    assert values["right"].value == pytest.approx(values["accuracy"].value)


def test_workers_know_it_too(project: Path, workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame) -> None:
    """In other processes, which have read no project file: the same leaderboard and curve."""
    custom = {"gain_at_10": {"path": "my_metrics.gain_at_10", "greater_is_better": True}}
    metrics = {"primary": "gain_at_10", "custom": custom}
    split, problem = split_of(table, "churn", data={"positive": "yes"}, metrics=metrics, training=PLAN)
    alone = train(split, problem, workspace, executor=InProcessExecutor()).record
    pool = LocalPoolExecutor(workers=2)
    pooled = train(split, problem, workspace, executor=pool).record
    pool.close()

    assert [item.fold_scores for item in pooled.candidates] == [item.fold_scores for item in alone.candidates]
    assert pooled.learning_curve == alone.learning_curve


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("raises", "the metric 'raises' raised an error in fold 1; got ZeroDivisionError: "),
        ("nothing", "the metric 'nothing' gives no number in fold 1; got NoneType None"),
        ("nan", "the metric 'nan' is not defined for answers that are nearly right in fold 1"),
        ("endless", "the metric 'endless' gives no finite number in fold 1; got inf"),
        (
            "meddling",
            "the metric 'meddling' raised an error in fold 1; got ValueError: assignment destination is read-only",
        ),
        ("constant", "the metric 'constant' is no function in fold 1; got my_metrics.constant"),
        ("gone", "the metric 'gone' is no function in fold 1; got my_metrics.gone"),
        ("picky", "the metric 'picky' raised an error in fold 1; got ValueError: all alike"),
    ],
)
def test_what_gives_no_number_is_refused_with_its_name_and_fold(
    project: Path, workspace: Workspace, split_of: MakeSplit, table: pl.DataFrame, name: str, said: str
) -> None:
    """Before anything is fitted; a function that bears good answers and not constant ones, at the naive baseline."""
    metrics = {"primary": name, "custom": {name: {"path": f"my_metrics.{name}", "greater_is_better": True}}}
    split, problem = split_of(table, "churn", metrics=metrics, training=PLAN)
    with pytest.raises(ConfigError) as refusal:
        train(split, problem, workspace, executor=InProcessExecutor())

    assert said in refusal.value.sentence
    assert refusal.value.where == f"metrics.custom.{name}"


def test_undefined_has_a_value_if_one_is_named(project: Path) -> None:
    """NaN stays NaN, as for metrics that ship, unless the project file says what stands there."""
    truth = np.array([0.0, 1.0])

    assert np.isnan(score(declared("nan", project), truth, truth))
    assert score(declared("nan", project, undefined=-1.0), truth, truth) == -1.0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1_000))
def test_weights_are_repeated_rows(seed: int) -> None:
    """A function without weights sees each row as often as it counts; one with weights gives the metric that ships."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 2, 30).astype(np.float64)
    value = generator.normal(size=30)
    weights = generator.integers(0, 3, (4, 30)).astype(np.float64)
    weights[0] = 0
    for name, input_, tasks in (
        ("accuracy_score", MetricInput.LABEL, (Task.BINARY,)),
        ("mean_absolute_error", MetricInput.VALUE, (Task.REGRESSION,)),
    ):
        declare_metrics([MetricSpec("theirs", "theirs", True, input_, tasks, f"sklearn.metrics.{name}")])
        ours = "accuracy" if input_ is MetricInput.LABEL else "mae"
        found = score_weighted("theirs", truth, value, weights, threshold=0.0)

        assert np.isnan(found[0])
        assert found[1:] == pytest.approx(score_weighted(ours, truth, value, weights[1:], threshold=0.0))


def test_it_has_intervals_and_comparisons(project: Path) -> None:
    """Near those of the same metric that ships, which knows more of its own spread (it is studentised)."""
    generator = np.random.default_rng(0)
    truth = generator.normal(size=200)
    good, bad = truth + generator.normal(size=200), truth + 2 * generator.normal(size=200)
    name = declared("squared", project, MetricInput.VALUE)
    ours = bootstrap_interval(name, truth, good, confidence=0.95, seed=1)
    theirs = bootstrap_interval("rmse", truth, good, confidence=0.95, seed=1)

    assert ours.value == pytest.approx(theirs.value**2)
    assert (ours.low, ours.high) == pytest.approx((theirs.low**2, theirs.high**2), rel=0.05)
    assert compare(name, truth, bad, good, confidence=0.95, seed=1).verdict == "worse"  # declared: greater is better


def test_a_changed_file_is_read_again(project: Path) -> None:
    """The folder is no place to import from, so nothing stale is found."""
    truth = np.array([0.0, 1.0])
    name = declared("picky", project)

    assert score(name, truth, truth) == 0.5

    (project / "my_metrics.py").write_text("def picky(truth, prediction):\n    return 0.75\n", encoding="utf-8")

    assert score(name, truth, truth) == 0.75


def test_the_project_file_is_held_to_its_words() -> None:
    """A name that is taken, a path without a module, an unknown primary; each is refused."""
    own = {"path": "my_metrics.profit", "greater_is_better": True}
    for wrong in (
        {"custom": {"roc_auc": own}},
        {"custom": {"profit": {**own, "path": "profit"}}},
        {"custom": {"profit": {"path": "my_metrics.profit"}}},
        {"primary": "profitt", "custom": {"profit": own}},
    ):
        with pytest.raises(ValidationError):
            Metrics.model_validate(wrong)


def test_opening_a_project_makes_its_metrics_known(project: Path) -> None:
    """Pages and records name them as they name the others; the linter knows for which task they are."""
    (project / "modelyard.yaml").write_text(
        "data: {source: t.csv, target: y}\ntask: regression\n"
        "metrics: {primary: profit, custom: {profit: {path: my_metrics.hits, greater_is_better: true, input: label}}}\n",
        encoding="utf-8",
    )
    problem = load_problem(project).problem
    truth = np.array([0.0, 1.0])
    found = {item.id: item for item in lint_problem(problem)}

    assert score("profit", truth, truth) == 1.0
    assert found["metric-undefined"].message == "profit is not defined for the task regression."


def test_records_of_metrics_travel() -> None:
    """A specification is a record like the others."""
    spec = MetricSpec("a", "A", True, MetricInput.VALUE, (Task.REGRESSION,), "m.f", "/x", 0.0)

    assert MetricSpec.from_dict(spec.to_dict()) == spec
    assert dataclasses.replace(spec, undefined=None) != spec
