"""The law is found again where it is planted, and never promises what cannot be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.training.curves.power_law import fit_law

X = np.array([[0.05, 0.1, 0.2, 0.4, 0.8], [0.04, 0.08, 0.16, 0.32, 0.64]])


@settings(max_examples=25, deadline=None)
@given(
    drop=st.floats(0.01, 1.0), exponent=st.floats(0.2, 1.4), floors=st.tuples(st.floats(0.1, 2.0), st.floats(0.1, 2.0))
)
def test_a_planted_law_is_found(drop: float, exponent: float, floors: tuple[float, float]) -> None:
    """Folds of different difficulty share drop and exponent; the gain at twice the rows is right within the grid."""
    errors = np.array(floors)[:, None] + drop * X**-exponent
    law = fit_law(X, errors[:, :, None], np.ones((2, 1)))

    assert law.gain(2)[0] == pytest.approx(drop * (1 - 2**-exponent), rel=0.1)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1_000))
def test_it_never_promises_too_much(seed: int) -> None:
    """Whatever the figures, errors stay at or above 0 and more rows never make them worse."""
    errors = np.random.default_rng(seed).random((2, 5, 3))
    law = fit_law(X, errors, np.ones((2, 3)))

    assert (law.drop >= 0).all()
    assert (law.floor >= -1e-12).all()
    assert (law.gain(10) >= law.gain(2)).all()


def test_a_rising_error_promises_nothing() -> None:
    """If more rows made it worse, the law is flat."""
    law = fit_law(X, (0.2 + 0.1 * X)[:, :, None], np.ones((2, 1)))

    assert law.gain(10)[0] == 0
    assert law.floor[0] == pytest.approx(float((np.sqrt(X) * (0.2 + 0.1 * X)).sum() / np.sqrt(X).sum()))


def test_weights_leave_folds_out() -> None:
    """A fold that was not drawn says nothing."""
    errors = np.stack([0.2 + 0.1 * X[0] ** -0.5, np.full(5, 9.0)])[:, :, None]
    law = fit_law(X, errors, np.array([[2.0], [0.0]]))

    assert law.drop[0] == pytest.approx(0.1)
    assert law.floor[0] == pytest.approx(0.2)
