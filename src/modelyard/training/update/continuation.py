"""One model that goes on learning."""

import copy
import dataclasses
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import ConfigError, DataError
from modelyard.training.blending import BlendEstimator
from modelyard.training.families.family import Family, FitData, Updatable
from modelyard.training.model import FittedModel

__all__ = ["Continued", "continued", "require_updatable"]

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Continued:
    """A model that went on learning, and the rounds of boosting that were added (None if it has none)."""

    model: FittedModel
    rounds_added: int | None


def require_updatable(model: FittedModel, family: Family | None) -> Family:
    """The model's family, if the model can go on learning; a blend, a mean of several fits, or calibrated probabilities cannot.

    Raises
    ------
    ConfigError
        With the way that there is for every model.
    """
    can_learn = isinstance(family, Updatable) or hasattr(model.estimator, "partial_fit")
    if family is not None and can_learn and not isinstance(model.estimator, BlendEstimator):
        return family
    raise ConfigError(
        "this model cannot be updated: its family has to see all rows at once, or it is a blend, a mean of several "
        "fits, or calibrated",
        where="train --update",
        got=model.family,
        cure="Run `modelyard retrain --data TABLE`; LightGBM, XGBoost and estimators with partial_fit can be updated, "
        "with a budget only under training.fits: 1",
    )


def continued(
    model: FittedModel,
    family: Family,
    params: Mapping[str, Any],
    rows: tuple[pl.DataFrame, Array, npt.NDArray[np.bool_]],
    *,
    seed: int,
    weight: Array | None = None,
    monotone: tuple[int, ...] | None = None,
) -> Continued:
    """Go on with new rows. The model that is given is left as it is; the encoder stays what it was.

    Parameters
    ----------
    family, params
        By which the model was fitted.
    rows
        New rows, their encoded target (codes of the run's classes), and a mask of those that stop boosting.
    seed
        Of what is added.
    weight, monotone
        As in :class:`~modelyard.training.families.family.FitData`.

    Raises
    ------
    ConfigError
        If the model cannot be updated.
    DataError
        If the new rows lack a class that the model knows, or hold one that it does not.
    """
    from threadpoolctl import threadpool_limits

    require_updatable(model, family)
    frame, truth, stop = rows
    data = FitData(model.task, model.encoder.transform(frame), _codes(model, truth), stop, weight, monotone)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the library had to say was said when the model was made
        if isinstance(family, Updatable):
            fitted = family.update(model.estimator, data, params, seed=seed)
            return Continued(dataclasses.replace(model, estimator=fitted.estimator), fitted.rounds)
        estimator = copy.deepcopy(model.estimator)
        estimator.partial_fit(data.matrix, data.target)
    return Continued(dataclasses.replace(model, estimator=estimator), None)


def _codes(model: FittedModel, truth: Array) -> Array:
    """The target in the codes of the estimator; for classes these have no gaps."""
    if not model.task.is_classification:
        return truth
    given = np.unique(truth).astype(np.int64)
    if tuple(given) != model.present:
        raise DataError(
            "the new rows to learn from must hold the classes that the model knows, and no others",
            where="train --update",
            got=", ".join(model.classes[code] for code in given),
            cure="Bring rows of all classes, or run `modelyard retrain`",
        )
    return np.searchsorted(np.asarray(model.present), truth).astype(np.float64)
