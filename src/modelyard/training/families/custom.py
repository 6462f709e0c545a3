"""An estimator of the user's own, by the dotted path of its class."""

import dataclasses
import importlib
import inspect
import pickle
from collections.abc import Mapping, Sequence
from typing import Any

from modelyard.core import ConfigError
from modelyard.features import EncodingStyle
from modelyard.problem import Task
from modelyard.problem.schema import CustomEstimator
from modelyard.training.families.family import Dimension, FitData, Fitted, seed_31
from modelyard.training.families.promises import Latency, Promises

__all__ = ["CustomFamily", "custom_family"]


@dataclasses.dataclass(frozen=True)
class CustomFamily:
    """One class with scikit-learn's API; it has nothing to tune unless the project file gives it a space.

    Parameters
    ----------
    name
        As the project file calls it.
    path
        Dotted path of the class, which every process imports by itself.
    params
        Arguments of the constructor. ``random_state`` and ``n_jobs`` are given to classes that know them.
    style, complexity, most_rows
        As of any family; it counts as complex as boosting, as nothing is known of it.
    """

    name: str
    path: str
    params: Mapping[str, Any]
    style: EncodingStyle
    complexity: int = 3
    most_rows: int | None = None

    @property
    def promises(self) -> Promises:
        """Sample weights, if the class takes them; nothing is known of its speed."""
        takes = inspect.signature(_class_at(self.path).fit).parameters
        return Promises(Latency.SLOW, sample_weights="sample_weight" in takes)

    def parameters(self) -> tuple[str, ...] | None:
        """Names of the constructor's arguments, as the class tells them; None if it does not."""
        estimator = _class_at(self.path)(**self.params)
        return tuple(estimator.get_params(deep=False)) if hasattr(estimator, "get_params") else None

    def defaults(self, task: Task) -> Mapping[str, Any]:  # noqa: ARG002
        """What the project file says."""
        return self.params

    def space(self, task: Task) -> Mapping[str, Dimension]:  # noqa: ARG002
        """Nothing."""
        return {}

    def portfolio(self, task: Task) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002
        """Nothing, as there is no space."""
        return ()

    def fit(self, data: FitData, params: Mapping[str, Any], *, seed: int, rounds: int | None = None) -> Fitted:  # noqa: ARG002
        """Fit, seeded and in one thread if the class can be told."""
        estimator = _class_at(self.path)(**params)
        known = estimator.get_params() if hasattr(estimator, "get_params") else {}
        given = {"random_state": seed_31(seed), "n_jobs": 1}
        chosen = {name: value for name, value in given.items() if name in known and name not in params}
        if chosen:
            estimator.set_params(**chosen)
        weight = {} if data.weight is None else {"sample_weight": data.weight}
        return Fitted(estimator.fit(data.matrix, data.target, **weight))


def custom_family(name: str, declared: CustomEstimator, task: Task) -> CustomFamily:
    """The family of a declared estimator, once it is sure that it can be trained.

    Raises
    ------
    ConfigError
        If the class cannot be imported or made with these arguments, cannot predict what the task needs, or cannot be
        pickled, as the run's models are.
    """
    where = f"training.custom.{name}"
    try:
        estimator = _class_at(declared.path)(**declared.params)
    except (ImportError, AttributeError) as error:
        cure = "Install its package beside modelyard, and check the path"
        raise ConfigError(
            "the estimator cannot be imported", where=f"{where}.path", got=str(error), cure=cure
        ) from error
    except (TypeError, ValueError) as error:
        cure = "Give the arguments that its constructor takes"
        raise ConfigError("the estimator cannot be made", where=f"{where}.params", got=str(error), cure=cure) from error
    _check_duties(estimator, declared.path, where, task)
    return CustomFamily(name, declared.path, dict(declared.params), EncodingStyle(declared.style))


def _check_duties(estimator: Any, path: str, where: str, task: Task) -> None:
    """It must fit, predict what is asked, and be kept."""
    needed = ("fit", "predict_proba" if task.is_classification else "predict")
    missing = [method for method in needed if not hasattr(estimator, method)]
    if missing:
        what = {"fit": "cannot be fitted", "predict_proba": "gives no probabilities", "predict": "gives no values"}
        raise ConfigError(
            f"the estimator {what[missing[0]]}",
            where=f"{where}.path",
            got=f"{path} without {missing[0]}",
            cure="Choose a class with scikit-learn's fit and predict_proba (classes) or predict (values); "
            "sklearn.calibration.CalibratedClassifierCV adds probabilities",
        )
    try:
        pickle.dumps(estimator)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise ConfigError(
            "the estimator cannot be pickled, so no run could keep it",
            where=f"{where}.path",
            got=f"{path}: {error}",
            cure="Keep locks, open files and functions made inside functions out of the estimator",
        ) from error


def _class_at(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)
