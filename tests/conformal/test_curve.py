"""A curve says of one row what it says of many, and only what it was told to change."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.conformal import ProbabilityCurve
from modelyard.core import IntegrityError


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda values: sum(values) > 0),
    st.floats(0.1, 5),
    st.none() | st.lists(st.floats(-8, 8), min_size=3, max_size=3),
)
def test_a_row_alone_and_among_others(values: list[float], slope: float, offsets: list[float] | None) -> None:
    """Row by row as in a matrix, adding up to one; written and read, the same."""
    outputs = [value / sum(values) for value in values]
    curve = ProbabilityCurve(slope, offsets=tuple(offsets or ()))
    row = ProbabilityCurve.from_dict(curve.to_dict()).of_row(outputs)

    assert row == pytest.approx(curve.of_rows(np.array([outputs, outputs]))[1].tolist(), abs=1e-12)
    assert sum(row) == pytest.approx(1)


def test_shifts_multiply_the_odds_between_classes() -> None:
    """A shift of log 2 doubles a class's odds against any other, and leaves those between the others."""
    before = [0.5, 0.3, 0.2]
    after = ProbabilityCurve(1.0, offsets=(0.0, math.log(2), 0.0)).of_row(before)

    assert after[1] / after[0] == pytest.approx(2 * before[1] / before[0])
    assert after[2] / after[0] == pytest.approx(before[2] / before[0])


def test_a_curve_of_an_older_version_is_read() -> None:
    """It has no shifts; one with something unknown is refused."""
    assert ProbabilityCurve.from_dict({"slope": 0.8, "offset": 0.0}) == ProbabilityCurve(0.8)
    with pytest.raises(IntegrityError, match="unknown field"):
        ProbabilityCurve.from_dict({"slope": 0.8, "bend": 1.0})
