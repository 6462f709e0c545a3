"""The names that families of models have in the project file."""

import importlib.metadata

__all__ = ["DEFAULT_FAMILIES", "FAMILY_GROUP", "FAMILY_NAMES", "known_families"]

FAMILY_NAMES = (
    "linear",
    "elastic_net",
    "naive_bayes",
    "sgd",
    "shallow_tree",
    "decision_tree",
    "random_forest",
    "extra_trees",
    "nearest_neighbours",
    "svm",
    "ebm",
    "lightgbm",
    "xgboost",
    "catboost",
    "mlp",
    "realmlp",
)
"""Those that ship with modelyard, simple first."""

DEFAULT_FAMILIES = ("linear", "shallow_tree", "random_forest", "lightgbm", "xgboost")

FAMILY_GROUP = "modelyard.families"
"""Entry points under which other packages register theirs."""


def known_families() -> tuple[str, ...]:
    """All names that can be asked for here: shipped, and registered by installed packages."""
    registered = {entry.name for entry in importlib.metadata.entry_points(group=FAMILY_GROUP)}
    return (*FAMILY_NAMES, *sorted(registered - set(FAMILY_NAMES)))
