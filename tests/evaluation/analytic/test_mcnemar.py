"""McNemar's test: known figures, symmetry, and how often it is wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.evaluation.analytic.mcnemar import mcnemar_test


def _rows(gained: int, lost: int, both: int = 10) -> tuple[np.ndarray, np.ndarray]:
    champion = np.repeat([False, True, True], [gained, lost, both])
    challenger = np.repeat([True, False, True], [gained, lost, both])
    return champion, challenger


def test_the_figures_of_the_literature() -> None:
    """1 and 7 discordant pairs: exact 0.070, mid-p 0.039 (Fagerland et al., 2013, airways before and after)."""
    found = mcnemar_test(*_rows(7, 1))

    assert (found.gained, found.lost) == (7, 1)
    assert found.exact_p == pytest.approx(0.0703, abs=1e-4)
    assert found.mid_p == pytest.approx(0.0391, abs=1e-4)
    assert mcnemar_test(*_rows(0, 0)) == (0, 0, 1.0, 1.0)
    assert mcnemar_test(*_rows(3, 3)).exact_p == 1.0


@given(st.integers(0, 400), st.integers(0, 400))
@settings(max_examples=50, deadline=None)
def test_it_does_not_matter_who_is_called_champion(gained: int, lost: int) -> None:
    """Exchanging the two exchanges the counts and nothing else; mid-p lies between 0 and the exact one."""
    one, other = mcnemar_test(*_rows(gained, lost)), mcnemar_test(*_rows(lost, gained))

    assert (one.gained, one.lost) == (other.lost, other.gained)
    assert one.mid_p == pytest.approx(other.mid_p)
    assert 0 <= one.mid_p <= one.exact_p <= 1


def test_it_is_rarely_wrong() -> None:
    """Two equally good systems on 200 rows: the mid-p test is below 0.05 in 3.5 to 6 % of 4,000 cases."""
    generator = np.random.default_rng(0)
    wrong = []
    for _ in range(4000):
        easy = generator.random(200) < 0.6
        right = [easy | (generator.random(200) < 0.5) for _ in range(2)]
        wrong.append(mcnemar_test(right[0], right[1]).mid_p < 0.05)

    assert 0.035 <= np.mean(wrong) <= 0.06


def test_groups_count_as_wholes() -> None:
    """Twenty groups that are gained or lost together are twenty coins, not a thousand."""
    units = np.repeat(np.arange(20), 50)
    challenger = units < 14

    assert mcnemar_test(~challenger, challenger).mid_p < 1e-9
    assert mcnemar_test(~challenger, challenger, units).mid_p == pytest.approx(0.0736, abs=1e-3)
