"""Families of other packages, and estimators of the user's own: taken if they can be used, refused clearly if not."""

import textwrap
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from modelyard.core import ConfigError
from modelyard.data import Split
from modelyard.problem import Problem, Task
from modelyard.problem.schema import CustomEstimator, TrainingPlan
from modelyard.store import Workspace
from modelyard.training import CandidateStatus
from modelyard.training.engine import train
from modelyard.training.executor import InProcessExecutor
from modelyard.training.families.custom import custom_family
from modelyard.training.families.family import Family
from modelyard.training.families.forests.extra_trees import ExtraTrees
from modelyard.training.families.forests.random_forest import RandomForest
from modelyard.training.families.linear import Linear
from modelyard.training.families.nearest_neighbours import NearestNeighbours
from modelyard.training.families.networks import MultilayerPerceptron
from modelyard.training.families.registry import FAMILIES, registered_families

PLAN = {"folds": 2, "tuning_rounds": 0, "families": ["linear"]}

MODULE = """
    import dataclasses
    import threading

    from modelyard.training.families.linear import Linear

    @dataclasses.dataclass(frozen=True)
    class Straight(Linear):
        name: str = "straight"

    class Bare:
        name = "bare"

    class Locked:
        def __init__(self):
            self.lock = threading.Lock()
        def fit(self, X, y):
            return self
        def predict(self, X):
            return X[:, 0]
        predict_proba = predict
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Installs a package that registers families: its entry points, as ``name = value`` lines, are the argument."""

    def install(*points: str) -> None:
        place = tmp_path / "site"
        info = place / "yard_extras-1.0.dist-info"
        info.mkdir(parents=True)
        (place / "yard_extras.py").write_text(textwrap.dedent(MODULE), encoding="utf-8")
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: yard-extras\nVersion: 1.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text("[modelyard.families]\n" + "\n".join(points), encoding="utf-8")
        monkeypatch.syspath_prepend(place)

    return install


def test_a_registered_family_is_known_by_its_name(installed: Any) -> None:
    """A class without arguments under the entry points becomes a family, and the project file may name it."""
    installed("straight = yard_extras:Straight")

    assert registered_families(["straight", "linear"])["straight"].name == "straight"
    assert registered_families(["linear"]) == {}
    assert TrainingPlan(families=("straight",)).families == ("straight",)


def test_a_registered_family_is_trained_only_if_named(
    installed: Any, workspace: Workspace, split_of: Any, table: pl.DataFrame
) -> None:
    """Named in the plan it is a candidate like others; unnamed it is not there."""
    installed("straight = yard_extras:Straight")
    split, problem = split_of(table, "churn", training={**PLAN, "families": ["linear", "straight"]})
    run = train(split, problem, workspace, executor=InProcessExecutor())

    assert [item.name for item in run.record.candidates] == ["naive", "linear", "straight"]
    assert run.record.candidate("straight").mean == run.record.candidate("linear").mean


@pytest.mark.parametrize(
    ("points", "name", "message"),
    [
        (("linear = yard_extras:Straight",), "linear", "two families of models have one name"),
        (("straight = yard_extras:Nothing",), "straight", "cannot be used.*AttributeError"),
        (("straight = no_such_module:Nothing",), "straight", "cannot be used.*ModuleNotFoundError"),
        (("bare = yard_extras:Bare",), "bare", "Bare without the duties"),
        (("other = yard_extras:Straight",), "other", "calls itself 'straight'"),
    ],
)
def test_unusable_registrations_are_refused(installed: Any, points: tuple[str, ...], name: str, message: str) -> None:
    """A name taken twice, a class that is not there, one without duties, and one that calls itself something else."""
    installed(*points)

    with pytest.raises(ConfigError, match=message):
        registered_families([name])


def test_unknown_names_are_found_when_the_project_file_is_read() -> None:
    """A typing error has a suggestion; an own estimator may not take the name of a family."""
    with pytest.raises(ValidationError, match="Did you mean 'lightgbm'"):
        TrainingPlan(families=("lihgtgbm",))
    with pytest.raises(ValidationError, match="name of a family already"):
        TrainingPlan(custom={"svm": CustomEstimator(path="sklearn.svm.SVC")})


def test_an_estimator_of_ones_own_competes(workspace: Workspace, split_of: Any, table: pl.DataFrame) -> None:
    """A class by its dotted path is scored on the folds, with its arguments."""
    declared = {"path": "sklearn.naive_bayes.GaussianNB", "params": {"var_smoothing": 1e-6}, "style": "distance"}
    split, problem = split_of(table, "churn", training={**PLAN, "custom": {"bayes": declared}})
    run = train(split, problem, workspace, executor=InProcessExecutor())
    bayes = run.record.candidate("bayes")

    assert bayes.status is CandidateStatus.DONE
    assert bayes.mean is not None
    assert bayes.mean > 0.7
    assert bayes.params == {"var_smoothing": 1e-6}


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        ("no_such_package.Model", {}, r"training\.custom\.mine\.path.*No module named"),
        ("sklearn.svm.NoSuchClass", {}, "cannot be imported.*NoSuchClass"),
        ("sklearn.linear_model.LogisticRegression", {"c": 1}, r"training\.custom\.mine\.params.*cannot be made"),
        ("sklearn.svm.LinearSVC", {}, "gives no probabilities.*CalibratedClassifierCV"),
        ("datetime.date", {"year": 2026, "month": 1, "day": 1}, "cannot be fitted"),
        ("yard_extras.Locked", {}, "cannot be pickled"),
    ],
)
def test_unusable_estimators_are_refused(installed: Any, path: str, params: dict[str, Any], message: str) -> None:
    """What cannot be imported, made, fitted, asked for probabilities or pickled is refused before anything is fitted."""
    installed()

    with pytest.raises(ConfigError, match=message):
        custom_family("mine", CustomEstimator(path=path, params=params), Task.BINARY)


def test_values_need_no_probabilities() -> None:
    """For regression ``predict`` is enough; a class of one's own is then as good as any."""
    family = custom_family("mine", CustomEstimator(path="sklearn.svm.LinearSVR"), Task.REGRESSION)

    assert (family.name, family.style.value, family.space(Task.REGRESSION)) == ("mine", "linear", {})


def test_a_family_that_is_not_fit_for_so_many_rows_is_left_out(
    workspace: Workspace, split_of: Any, table: pl.DataFrame
) -> None:
    """It is recorded with the reason, is no failure, and the search counts as finished."""
    made: tuple[Split, Problem] = split_of(
        table, "churn", training={**PLAN, "families": ["linear", "nearest_neighbours"]}
    )
    split, problem = made
    families: dict[str, Family] = {"linear": Linear(), "nearest_neighbours": NearestNeighbours(most_rows=100)}
    run = train(split, problem, workspace, families=families, executor=InProcessExecutor()).record
    left = run.candidate("nearest_neighbours")
    rows = split.train.frame.height

    assert left.status is CandidateStatus.LEFT_OUT
    assert left.error == f"{rows} rows, while it is fit for 100"
    assert (left.mean, left.fold_scores, left.fit_seconds) == (None, (), 0.0)
    assert not run.interrupted
    assert f"Left out ({left.error}): nearest_neighbours." in run.why
    assert "Failed" not in run.why


def test_all_shipped_families_are_scored(workspace: Workspace, split_of: Any, table: pl.DataFrame) -> None:
    """With every family but boosting asked for, all are scored, and each is better than the naive answer."""
    wanted = [name for name in FAMILIES if name not in ("lightgbm", "xgboost", "catboost", "ebm")]
    split, problem = split_of(table, "churn", training={**PLAN, "families": wanted, "blend": False})
    quick = (RandomForest(trees=5), ExtraTrees(trees=5), MultilayerPerceptron(max_rounds=30))
    families = {**FAMILIES, **{family.name: family for family in quick}}
    run = train(split, problem, workspace, families=families, executor=InProcessExecutor()).record
    scores = {item.name: item.mean for item in run.candidates if item.name != "naive"}

    assert list(scores) == wanted
    assert run.candidate("mlp").rounds is not None
    assert all(score is not None and score > 0.7 for score in scores.values())
