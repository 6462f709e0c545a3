"""The search space of the project file: it takes the place of the family's own, and what cannot be is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from modelyard.core import ConfigError
from modelyard.problem import Task
from modelyard.problem.schema import CustomEstimator, TrainingPlan
from modelyard.training.families.custom import custom_family
from modelyard.training.families.family import Dimension
from modelyard.training.families.parameters import impossible, known_parameters
from modelyard.training.families.registry import FAMILIES
from modelyard.training.planning import SearchPlan, Size, WorkPlan, make_plan
from modelyard.training.planning.declared import declared_search

HIST = CustomEstimator(path="sklearn.ensemble.HistGradientBoostingClassifier", style="tree")
FOREST = CustomEstimator(path="sklearn.ensemble.RandomForestClassifier", params={"n_estimators": 5})


def declared(**training: Any) -> SearchPlan:
    """The plan of a project with LightGBM, a linear model and two estimators of its own."""
    plan = TrainingPlan.model_validate(
        {"custom": {"hist": HIST.model_dump(), "own": FOREST.model_dump()}, "tuning_rounds": 8, **training}
    )
    families = {
        "linear": FAMILIES["linear"],
        "lightgbm": FAMILIES["lightgbm"],
        **{name: custom_family(name, item, Task.BINARY) for name, item in plan.custom.items()},
    }
    return declared_search(plan, families, Task.BINARY)


def test_declared_dimensions_replace_the_familys_own() -> None:
    """Lists are choices, ranges are ranges, whole if the family says so; the other dimensions stay."""
    plan = declared(space={"lightgbm": {"num_leaves": [15, 31, 63], "reg_lambda": {"low": 1, "high": 10, "log": True}}})
    family = FAMILIES["lightgbm"]
    space = plan.space_of(family, Task.BINARY)

    assert space["num_leaves"] == Dimension(choices=(15, 31, 63))
    assert space["reg_lambda"] == Dimension(1.0, 10.0, log=True)
    assert {name: item for name, item in space.items() if name not in ("num_leaves", "reg_lambda")} == {
        name: item for name, item in family.space(Task.BINARY).items() if name not in ("num_leaves", "reg_lambda")
    }
    assert plan.space_of(FAMILIES["linear"], Task.BINARY) == FAMILIES["linear"].space(Task.BINARY)


def test_a_parameter_that_no_search_knew_may_be_searched_or_fixed() -> None:
    """One beyond the family's space, whole by how it is written; and one that is fixed, which is not tuned."""
    plan = declared(space={"lightgbm": {"max_depth": {"low": 2, "high": 8}}}, params={"lightgbm": {"subsample": 0.9}})
    space = plan.space_of(FAMILIES["lightgbm"], Task.BINARY)

    assert space["max_depth"] == Dimension(2.0, 8.0, whole=True)
    assert "subsample" not in space
    assert plan.defaults_of(FAMILIES["lightgbm"], Task.BINARY)["subsample"] == 0.9


def test_an_estimator_of_ones_own_has_the_space_that_it_is_given() -> None:
    """Any parameter of its constructor, lists of words and numbers too; another name is refused."""
    plan = declared(space={"own": {"max_features": ["sqrt", 0.5], "max_depth": {"low": 2, "high": 9}}})
    family = custom_family("own", FOREST, Task.BINARY)

    assert plan.space_of(family, Task.BINARY) == {
        "max_features": Dimension(choices=("sqrt", 0.5)),
        "max_depth": Dimension(2.0, 9.0, whole=True),
    }
    with pytest.raises(ConfigError, match=r"own has no such parameter.*got 'max_dept'\. Did you mean 'max_depth'\?"):
        declared(space={"own": {"max_dept": [1, 2]}})


@pytest.mark.parametrize(
    ("training", "sentence"),
    [
        ({"space": {"lightgbm": {"num_leafs": [3]}}}, r"lightgbm: lightgbm has no such parameter.*'num_leaves'\?"),
        (
            {"params": {"linear": {"alpha": 1.0}}},
            r"training\.params\.linear: linear has no such parameter for a binary",
        ),
        ({"space": {"lightgbm": {"num_leaves": [15, 0.5]}}}, r"num_leaves must be a whole number from 2; got 0\.5"),
        ({"space": {"lightgbm": {"subsample": {"low": 0.5, "high": 1.5}}}}, r"must be a number above 0 to 1; got 1\.5"),
        ({"params": {"lightgbm": {"learning_rate": "slow"}}}, r"learning_rate must be a number above 0; got 'slow'"),
        ({"space": {"catboost": {"depth": [4]}}}, r"training\.space: the family is not tried; got 'catboost'"),
        (
            {"space": {"lightgbm": {"subsample": [0.5, 0.9]}}, "params": {"lightgbm": {"subsample": 0.9}}},
            r"cannot be both fixed and searched; got subsample",
        ),
        ({"search": "grid"}, r"training\.search: a grid has no values to try"),
        (
            {"search": "grid", "space": {"lightgbm": {"subsample": {"low": 0.5, "high": 0.9}}}},
            r"space\.lightgbm\.subsample: a grid needs stated values, and a range has endlessly many; got 0\.5 to 0\.9",
        ),
        (
            {"search": "grid", "space": {"lightgbm": {"subsample": [0.5, 0.7, 0.9], "num_leaves": [7, 15, 31]}}},
            r"the grid has 9 points, more than training\.tuning_rounds allows; got tuning_rounds: 8\. Set .*rounds: 9",
        ),
    ],
)
def test_what_cannot_be_is_refused(training: dict[str, Any], sentence: str) -> None:
    """Before anything is trained, with the place, what was got, and the cure."""
    with pytest.raises(ConfigError, match=sentence):
        declared(**training)


@pytest.mark.parametrize(
    ("training", "sentence"),
    [
        (
            {"space": {"lightgmb": {"num_leaves": [3]}}},
            r"space\.lightgmb: there is no such family\. Did you mean 'lightgbm'",
        ),
        ({"params": {"lightgmb": {"num_leaves": 3}}}, r"params\.lightgmb: there is no such family"),
        ({"space": {"lightgbm": {"num_leaves": {"low": 9, "high": 3}}}}, "low 9 must be below high 3"),
        ({"space": {"lightgbm": {"num_leaves": {"low": 0, "high": 3, "log": True}}}}, "must begin above 0"),
        ({"space": {"lightgbm": {"num_leaves": []}}}, "at least 1 item"),
        ({"search": "grid", "budget": "5m"}, "a grid is tried whole, and a budget would cut it short"),
        ({"search": "evolution"}, "Input should be 'bayesian', 'random', 'grid' or 'halving'"),
    ],
)
def test_the_file_itself_is_checked(training: dict[str, Any], sentence: str) -> None:
    """What is wrong whatever the task is refused when the file is read."""
    with pytest.raises(ValidationError, match=sentence):
        TrainingPlan.model_validate(training)


def test_a_grid_of_stated_values_fits() -> None:
    """Whole numbers between bounds have values too; other dimensions are not part of a grid."""
    space = {"lightgbm": {"num_leaves": {"low": 4, "high": 5}, "subsample": [0.5, 0.7, 0.9]}}
    plan = declared(search="grid", space=space)

    assert list(plan.space_of(FAMILIES["lightgbm"], Task.BINARY)) == ["num_leaves", "subsample"]
    assert plan.space_of(FAMILIES["linear"], Task.BINARY) == {}


def test_fixed_parameters_are_those_of_every_candidate() -> None:
    """Of defaults and of the portfolio; configurations that become equal are tried once, and the plan survives JSON."""
    search = SearchPlan("random", {"lightgbm": {"num_leaves": Dimension(choices=(3, 9))}}, {"linear": {"C": 0.3}})
    size = Size(5_000, 20)
    plan = make_plan(FAMILIES, Task.BINARY, size, 5, tuning_rounds=8, budget_s=600, workers=2, search=search)
    plain = make_plan(FAMILIES, Task.BINARY, size, 5, tuning_rounds=8, budget_s=600, workers=2)
    linear = [item.params for item in plan.candidates if item.family == "linear"]

    assert linear == [{"C": 0.3}]
    assert [item.params for item in plain.candidates if item.family == "linear"] == [{"C": 1.0}, {"C": 0.1}]
    assert WorkPlan.from_dict(plan.to_dict()) == plan
    assert plan.digest != plain.digest


def test_what_families_have_by_themselves_is_possible() -> None:
    """No default, no portfolio point and no bound of a space breaks the rules that are set for others."""
    for family in FAMILIES.values():
        for task in family.promises.tasks:
            known = known_parameters(family, task)
            space = {name: (item.low, item.high) for name, item in family.space(task).items()}
            for point in (family.defaults(task), *family.portfolio(task)):
                assert known is not None
                assert set(point) <= set(known)
                assert [impossible(family, name, value) for name, value in point.items()] == [""] * len(point)
            for name, ends in space.items():
                values = map(int if family.space(task)[name].whole else float, ends)
                assert [impossible(family, name, value) for value in values] == ["", ""]
