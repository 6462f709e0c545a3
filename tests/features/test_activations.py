"""What hidden units answer: the formulas of the papers, near and far."""

import numpy as np
import pytest

from modelyard.features.exact.activations import Activation, activated, smoothly_clipped

SUMS = np.array([-800.0, -30.0, -3.0, -0.5, 0.0, 0.5, 3.0, 30.0, 800.0])


def test_units_answer_by_the_formulas_of_their_papers() -> None:
    """Rectified; selu with its two constants; mish as ``x * tanh(log(1 + exp(x)))``."""
    selu = np.where(
        SUMS > 0, 1.0507009873554805 * SUMS, 1.0507009873554805 * 1.6732632423543772 * np.expm1(SUMS.clip(max=0))
    )
    mish = SUMS * np.tanh(np.logaddexp(0.0, SUMS))

    np.testing.assert_array_equal(activated(Activation.RELU, SUMS), SUMS.clip(min=0))
    np.testing.assert_allclose(activated(Activation.SELU, SUMS), selu, rtol=1e-12)
    np.testing.assert_allclose(activated(Activation.MISH, SUMS), mish, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("kind", list(Activation))
def test_one_sum_is_answered_as_many_are(kind: Activation) -> None:
    """To the last bit, and nothing overflows however far a sum is."""
    far = np.array([-1e300, -1e10, 1e10, 1e300])
    many = activated(kind, np.concatenate([SUMS, far]))

    assert np.isfinite(many).all()
    assert [float(activated(kind, np.array([value]))[0]) for value in (*SUMS, *far)] == many.tolist()


def test_values_are_clipped_smoothly_at_three() -> None:
    """``x / sqrt(1 + (x / 3)^2)``: odd, rising, steep as ``x`` near 0, and 3 at most."""
    values = np.array([-1e300, -4.0, -1e-6, 0.0, 1e-6, 4.0, 1e300])
    clipped = smoothly_clipped(values)

    np.testing.assert_allclose(clipped, [-3.0, -2.4, -1e-6, 0.0, 1e-6, 2.4, 3.0], rtol=1e-9)
