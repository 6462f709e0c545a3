"""A second opinion on single predictions: LIME for tables (Ribeiro, Singh and Guestrin, 2016), in our own hand.

Around a row, samples keep each of its values or exchange it for that of a random training row. A straight line is fitted
to the model's answers, the nearer samples weighing more; its slopes say what it means to have the row's own value rather
than another. Values count as the same if they lie in the same quarter of the training values, or are the same category.
"""

import dataclasses

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import derive_seed
from modelyard.data.schema import Column, ColumnKind, category_text
from modelyard.training.model import FittedModel

__all__ = ["LocalLine", "local_lines"]

Array = npt.NDArray[np.float64]
_SAMPLES = 1000
_KERNEL_WIDTH = 0.75
"""Times the root of the number of columns, as in the authors' package."""

_RIDGE = 1.0


@dataclasses.dataclass(frozen=True)
class LocalLine:
    """The slopes around one row, by column, in probability or in the target's unit; and the line's weighted R²."""

    amounts: Array
    fit: float


def local_lines(
    model: FittedModel, frame: pl.DataFrame, background: pl.DataFrame, *, outputs: npt.NDArray[np.intp], seed: int
) -> list[LocalLine]:
    """One line for each row of ``frame``, by 1,000 predictions each.

    Parameters
    ----------
    background
        Training rows, whose values take the places of the row's own.
    outputs
        Which class of each row is explained (several classes); zeros otherwise.
    """
    columns = model.encoder.columns_
    if background.height == 0 or not columns:
        return []
    lines = []
    for index, output in enumerate(outputs):
        generator = np.random.default_rng(derive_seed(seed, "lime", index))
        samples, alike = _samples(frame[index], background, columns, generator)
        answers = model.predict(samples)
        lines.append(_line(alike, answers[:, output] if answers.ndim == 2 else answers))
    return lines


def _samples(
    row: pl.DataFrame, background: pl.DataFrame, columns: tuple[Column, ...], generator: np.random.Generator
) -> tuple[pl.DataFrame, Array]:
    """The samples, the row itself first, and which of their values count as the row's own."""
    kept = generator.random((_SAMPLES, len(columns))) < 0.5
    kept[0] = True
    others, alike = [], np.empty((_SAMPLES, len(columns)))
    for at, column in enumerate(columns):
        drawn = background[column.name][generator.integers(0, background.height, _SAMPLES)]
        own = pl.repeat(row[column.name].item(), _SAMPLES, dtype=drawn.dtype, eager=True)
        values = own.zip_with(pl.Series(kept[:, at]), drawn).alias(column.name)
        others.append(values)
        alike[:, at] = kept[:, at] | _same_cell(column, row[column.name], values, background[column.name])
    return pl.DataFrame(others), alike


def _same_cell(column: Column, own: pl.Series, values: pl.Series, background: pl.Series) -> npt.NDArray[np.bool_]:
    """Which values lie in the same quarter of the training values as the row's own, or are the same category."""
    if column.kind not in (ColumnKind.NUMERIC, ColumnKind.DATE):
        return np.asarray(category_text(values).eq_missing(category_text(own).item()).to_numpy(), dtype=np.bool_)
    known = _numbers(background)
    known = known[np.isfinite(known)]
    edges = np.quantile(known, (0.25, 0.5, 0.75)) if len(known) else np.zeros(0)
    cells = [np.where(np.isnan(part), -1, np.searchsorted(edges, part)) for part in (_numbers(values), _numbers(own))]
    return np.asarray(cells[0] == cells[1][0])


def _numbers(values: pl.Series) -> Array:
    return values.to_physical().cast(pl.Float64).fill_null(np.nan).to_numpy()


def _line(alike: Array, answers: Array) -> LocalLine:
    """Ridge regression by weights that fall with the number of exchanged values."""
    width = _KERNEL_WIDTH**2 * alike.shape[1]
    weights = np.exp(-(1 - alike).sum(axis=1) / width)
    centre, mean = (weights @ alike) / weights.sum(), (weights @ answers) / weights.sum()
    inputs, target = alike - centre, answers - mean
    gram = (inputs * weights[:, np.newaxis]).T @ inputs + _RIDGE * np.eye(alike.shape[1])
    slopes = np.linalg.solve(gram, inputs.T @ (weights * target))
    spread = float(weights @ target**2)
    rest = float(weights @ (target - inputs @ slopes) ** 2)
    return LocalLine(slopes, 1 - rest / spread if spread > 0 else 1.0)
