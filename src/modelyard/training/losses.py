"""How much each row's prediction is off, by the loss that models are fitted to, whatever the metric."""

import numpy as np
import numpy.typing as npt

from modelyard.problem import Task

__all__ = ["fitting_losses"]

Array = npt.NDArray[np.float64]

_SMALLEST = 1e-9


def fitting_losses(task: Task, truth: Array, predictions: Array) -> Array:
    """Log loss of classes, squared error of values; one a row.

    >>> fitting_losses(Task.REGRESSION, np.array([1.0, 2.0]), np.array([1.0, 4.0])).tolist()
    [0.0, 4.0]
    """
    if task is Task.REGRESSION:
        return np.asarray((truth - predictions) ** 2)
    if predictions.ndim == 1:
        of_truth = np.where(truth == 1, predictions, 1 - predictions)
    else:
        of_truth = predictions[np.arange(len(truth)), truth.astype(np.intp)]
    return np.asarray(-np.log(np.clip(of_truth, _SMALLEST, None)))
