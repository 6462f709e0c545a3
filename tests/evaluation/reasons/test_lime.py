"""LIME's lines find what moves a prediction around one row."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from modelyard.data.schema import Column, ColumnKind
from modelyard.evaluation.reasons.lime import local_lines
from modelyard.features import EncodingStyle
from modelyard.features.encoder import TableEncoder
from modelyard.problem import Task
from modelyard.training.model import FittedModel

if TYPE_CHECKING:
    from tests.evaluation.conftest import Fit, Sample


@dataclasses.dataclass
class _Steps:
    """Ten more if the first encoded number is above the middle, three less for the second; the third is ignored."""

    def predict(self, matrix: np.ndarray) -> np.ndarray:
        return 10.0 * (matrix[:, 0] > 0.5) - 3.0 * (matrix[:, 1] > 0.5)


def test_slopes_are_what_the_row_s_own_values_bring() -> None:
    """A sum of steps at the median: the slope of a column is what its half brings against an average value."""
    generator = np.random.default_rng(0)
    frame = pl.DataFrame(generator.random((2000, 3)), schema=["a", "b", "c"])
    columns = tuple(Column(name, ColumnKind.NUMERIC, "Float64", nullable=False) for name in "abc")
    model = FittedModel(
        TableEncoder(columns, EncodingStyle.TREE).fit(frame), _Steps(), "steps", Task.REGRESSION, (), ()
    )
    row = pl.DataFrame({"a": [0.9], "b": [0.9], "c": [0.9]})
    (line,) = local_lines(model, row, frame, outputs=np.zeros(1, dtype=np.intp), seed=0)

    # a value from another quarter is above the middle in one of three cases
    assert line.amounts[0] == pytest.approx(10 * 2 / 3, rel=0.1)
    assert line.amounts[1] == pytest.approx(-3 * 2 / 3, rel=0.15)
    assert abs(line.amounts[2]) < 0.3
    assert line.fit > 0.5


def test_categories_and_gaps_have_slopes_too(fit: "Fit", churn: "Sample") -> None:
    """Real customers: a monthly contract and little tenure speak for leaving; a missing value is a value of its own."""
    model = fit("lightgbm", churn.rows(slice(0, 900)))
    rows = churn.frame[900:].filter((pl.col("Contract") == "Month-to-month") & (pl.col("tenure") < 4))[:3]
    gap = rows.with_columns(MonthlyCharges=pl.lit(None, dtype=pl.Float64))
    names = [column.name for column in churn.columns]
    lines = local_lines(model, pl.concat([rows, gap]), churn.frame[:900], outputs=np.zeros(6, dtype=np.intp), seed=0)

    assert len(lines) == 6
    for line in lines:
        slopes = dict(zip(names, line.amounts, strict=True))
        assert slopes["Contract"] > 0.05
        assert slopes["tenure"] > 0.05
        assert np.isfinite(line.amounts).all()
    assert local_lines(model, rows, churn.frame[:0], outputs=np.zeros(3, dtype=np.intp), seed=0) == []
