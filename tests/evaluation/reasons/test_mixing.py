"""Rows that are put together from others get the predictions that the whole table would get."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from modelyard.evaluation.reasons.mixing import Mixture
from modelyard.features import EncodingStyle
from modelyard.features.encoder import TableEncoder
from modelyard.problem.schema import FeaturePlan
from modelyard.training.families.family import FitData
from modelyard.training.families.registry import FAMILIES
from modelyard.training.model import FittedModel

if TYPE_CHECKING:
    from tests.evaluation.conftest import Fit, Sample


def mixed(pool: pl.DataFrame, columns: tuple[str, ...], taken: npt.NDArray[np.int64]) -> pl.DataFrame:
    """The mixed rows as a table."""
    return pl.DataFrame({name: pool[name][taken[:, place]] for place, name in enumerate(columns)})


def drawn(pool: pl.DataFrame, columns: int) -> npt.NDArray[np.int64]:
    """Forty mixed rows."""
    return np.random.default_rng(5).integers(0, pool.height, (40, columns))


@pytest.mark.parametrize("family", ["linear", "lightgbm", "random_forest"])
def test_as_if_the_table_were_encoded(fit: "Fit", churn: "Sample", family: str) -> None:
    """Numbers and categories, in every style of encoding: equal to the last bit."""
    model, pool = fit(family, churn.rows(slice(0, 600))), churn.frame[600:700]
    mixture = Mixture(model, pool)
    taken = drawn(pool, len(mixture.columns))
    expected = model.predict(mixed(pool, mixture.columns, taken))

    np.testing.assert_array_equal(mixture.predict(taken), expected)
    assert len(np.unique(expected)) > 10


def test_a_product_of_columns_is_made_of_both(churn: "Sample") -> None:
    """Where a feature goes back to two columns, exchanging features would be wrong: the table is put together."""
    sample, family = churn.rows(slice(0, 600)), FAMILIES["linear"]
    plan = FeaturePlan(selection="none", interactions=(("tenure", "MonthlyCharges"),))
    encoder = TableEncoder(sample.columns, EncodingStyle.LINEAR, plan=plan).fit(sample.frame)
    data = FitData(sample.task, encoder.transform(sample.frame), sample.truth, np.zeros(600, dtype=np.bool_))
    estimator = family.fit(data, family.defaults(sample.task), seed=0).estimator
    model, pool = FittedModel(encoder, estimator, "linear", sample.task, sample.classes, (0, 1)), churn.frame[600:700]
    mixture = Mixture(model, pool)
    taken = drawn(pool, len(mixture.columns))

    np.testing.assert_array_equal(mixture.predict(taken), model.predict(mixed(pool, mixture.columns, taken)))


def test_one_column_shuffled_in_two_orders(fit: "Fit", churn: "Sample") -> None:
    """Each order gives the predictions of the pool with that column in that order."""
    model, pool = fit("linear", churn.rows(slice(0, 600))), churn.frame[600:650]
    orders = [np.arange(50)[::-1], np.arange(50)]
    backwards, intact = Mixture(model, pool).shuffled("Contract", orders)

    np.testing.assert_array_equal(intact, model.predict(pool))
    np.testing.assert_array_equal(backwards, model.predict(pool.with_columns(pool["Contract"].reverse())))


def test_equal_rows_get_one_answer(fit: "Fit", churn: "Sample") -> None:
    """Rows that follow equal ones, gaps included, are not asked for again, and answered all the same."""
    model, pool = fit("lightgbm", churn.rows(slice(0, 600))), churn.frame[600:620]
    pool = pool.with_columns(tenure=pl.Series([None, *pool["tenure"][1:]]))
    mixture = Mixture(model, pool)
    taken = np.repeat(np.arange(3)[:, np.newaxis], len(mixture.columns), axis=1).repeat([4, 1, 3], axis=0)

    np.testing.assert_array_equal(mixture.predict(taken), model.predict(pool[:3]).repeat([4, 1, 3]))
