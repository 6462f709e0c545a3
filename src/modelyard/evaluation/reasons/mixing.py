"""Predictions of rows that are put together from other rows, column by column."""

import functools

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.training.model import FittedModel, predict_matrix

__all__ = ["Mixture"]

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


class Mixture:
    """Rows to take values from, encoded once.

    Explanations ask for thousands of rows in which one column after the other has another row's value. Where each
    feature is made of one column, features are exchanged in the encoded rows; where some are made of several columns
    (products, features of one's own), whole tables are put together and encoded.

    Parameters
    ----------
    model
        Which predicts.
    pool
        The rows that values are taken from; at least the model's columns.
    """

    def __init__(self, model: FittedModel, pool: pl.DataFrame) -> None:
        self._model = model
        self.columns = tuple(column.name for column in model.encoder.columns_)
        self._pool = pool.select(self.columns) if model.encoder.own is None else pool
        self._features = self._by_column()

    def _by_column(self) -> list[Rows] | None:
        """Places of the features of each column; None if a feature is made of several columns."""
        encoder, start = self._model.encoder, 0
        places: dict[str, list[int]] = {name: [] for name in self.columns}
        for encoding, sources in zip(encoder.encodings_, encoder.sources(), strict=True):
            width = len(encoding.names())
            if width and len(sources) != 1:
                return None
            for source in sources[:1]:
                places[source].extend(range(start, start + width))
            start += width
        return [np.array(places[name], dtype=np.int64) for name in self.columns]

    @functools.cached_property
    def _encoded(self) -> Array:
        return self._model.encoder.transform(self._pool)

    def predict(self, taken: Rows) -> Array:
        """Predictions of mixed rows, as :meth:`~modelyard.training.model.FittedModel.predict` gives them.

        Parameters
        ----------
        taken
            For each mixed row and each column the row of the pool whose value it has, shape (rows, columns).
        """
        if self._features is None:
            return self._model.predict(
                self._pool[taken[:, 0]].with_columns(
                    self._pool[name][taken[:, place]] for place, name in enumerate(self.columns)
                )
            )
        encoded, model = self._encoded, self._model
        mixed = np.empty((len(taken), encoded.shape[1]))
        for place, features in enumerate(self._features):
            mixed[:, features] = encoded[taken[:, place, np.newaxis], features]
        is_new = _differs_from_last(mixed)
        answers = predict_matrix(model.estimator, mixed[is_new], model.task, len(model.classes), model.present)
        return np.asarray(answers[np.cumsum(is_new) - 1])

    def shuffled(self, column: str, orders: list[Rows]) -> list[Array]:
        """Predictions of the pool with one column shuffled, for each order."""
        intact = np.repeat(np.arange(self._pool.height)[:, np.newaxis], len(self.columns), axis=1)
        taken = np.tile(intact, (len(orders), 1))
        taken[:, self.columns.index(column)] = np.concatenate(orders)
        return np.split(self.predict(taken), len(orders))


def _differs_from_last(rows: Array) -> npt.NDArray[np.bool_]:
    """Which rows are not the same as the row before: to exchange a value for an equal one changes no answer."""
    now, last = rows[1:], rows[:-1]
    same = (now == last) | (np.isnan(now) & np.isnan(last))
    return np.append(np.True_, ~same.all(axis=1))
