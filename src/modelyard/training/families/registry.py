"""The families by the names of the project file: those that ship with modelyard, and those that others register."""

import importlib.metadata
from collections.abc import Iterable, Mapping

from modelyard.core import ConfigError
from modelyard.problem import FAMILY_GROUP, Problem
from modelyard.training.families.boosting.lightgbm import LightGBM
from modelyard.training.families.boosting.xgboost import XGBoost
from modelyard.training.families.custom import custom_family
from modelyard.training.families.elastic_net import ElasticNet
from modelyard.training.families.family import Family
from modelyard.training.families.forests.decision_tree import DecisionTree
from modelyard.training.families.forests.extra_trees import ExtraTrees
from modelyard.training.families.forests.random_forest import RandomForest
from modelyard.training.families.forests.shallow_tree import ShallowTree
from modelyard.training.families.incremental import NaiveBayes, StochasticGradient
from modelyard.training.families.linear import Linear
from modelyard.training.families.nearest_neighbours import NearestNeighbours
from modelyard.training.families.networks import MultilayerPerceptron, RealMLP
from modelyard.training.families.optional import CatBoost, ExplainableBoosting
from modelyard.training.families.svm import SupportVectors

__all__ = ["FAMILIES", "family_named", "registered_families"]

FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        Linear(),
        ElasticNet(),
        NaiveBayes(),
        StochasticGradient(),
        ShallowTree(),
        DecisionTree(),
        RandomForest(),
        ExtraTrees(),
        NearestNeighbours(),
        SupportVectors(),
        ExplainableBoosting(),
        LightGBM(),
        XGBoost(),
        CatBoost(),
        MultilayerPerceptron(),
        RealMLP(),
    )
}
"""Name to family, simple first; ``train`` takes another mapping, in which families of one's own may stand."""


def family_named(name: str, problem: Problem) -> Family | None:
    """The family of that name, an estimator of one's own among them; None for what is no family, such as the naive answer."""
    if name in problem.training.custom:
        return custom_family(name, problem.training.custom[name], problem.task)
    return FAMILIES.get(name) or registered_families([name]).get(name)


def registered_families(names: Iterable[str]) -> dict[str, Family]:
    """Of the families that installed packages register, those that are named.

    A package registers a class without arguments that keeps :class:`~modelyard.training.families.family.Family`, under
    the entry points ``modelyard.families``.

    Raises
    ------
    ConfigError
        If one is registered twice or under the name of a family of modelyard's, cannot be loaded, or keeps not the
        protocol.
    """
    wanted, found = set(names), {}
    for entry in importlib.metadata.entry_points(group=FAMILY_GROUP):
        if entry.name not in wanted:
            continue
        if entry.name in FAMILIES or entry.name in found:
            raise ConfigError(
                "two families of models have one name",
                where=f"entry points {FAMILY_GROUP}",
                got=f"{entry.name!r} from {entry.value}",
                cure="Uninstall one of the packages, or ask its author for another name",
            )
        found[entry.name] = _loaded(entry)
    return found


def _loaded(entry: importlib.metadata.EntryPoint) -> Family:
    try:
        made = entry.load()()
    except (ImportError, AttributeError, TypeError) as error:
        raise _unusable(entry, f"{type(error).__name__}: {error}") from error
    if not isinstance(made, Family):
        raise _unusable(entry, f"{type(made).__name__} without the duties of a family")
    if made.name != entry.name:
        raise _unusable(entry, f"a family that calls itself {made.name!r}")
    return made


def _unusable(entry: importlib.metadata.EntryPoint, got: str) -> ConfigError:
    return ConfigError(
        "a registered family of models cannot be used",
        where=f"entry point {entry.name!r} of {FAMILY_GROUP}",
        got=got,
        cure=f"Mend {entry.value}, or take its name out of training.families",
    )
