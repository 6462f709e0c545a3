import numpy as np
import numpy.typing as npt

from modelyard.monitoring.domain import DomainTest, domain_test

Floats = npt.NDArray[np.float64]

NAMES = ("a", "b", "c", "d")


def _rows(generator: np.random.Generator, rows: int, *, together: float = 0.0, mean: float = 0.0) -> Floats:
    """Four normal columns; the first two go together, the third is moved."""
    drawn = generator.normal(size=(rows, 4))
    drawn[:, 1] = together * drawn[:, 0] + np.sqrt(1 - together**2) * drawn[:, 1]
    drawn[:, 2] += mean
    return drawn


def _test(before: Floats, now: Floats, seed: int = 0) -> DomainTest:
    found = domain_test("today", before, now, NAMES, seed)
    assert found is not None
    return found


def test_rows_of_one_world_cannot_be_told_apart() -> None:
    """Clean windows are near one half, and hardly ever said to tell."""
    generator = np.random.default_rng(1)
    tests = [_test(_rows(generator, 1_000), _rows(generator, 500), seed) for seed in range(30)]

    assert abs(np.mean([test.auc for test in tests]) - 0.5) < 0.02
    assert sum(test.tells for test in tests) <= 1


def test_columns_that_stop_going_together_are_seen() -> None:
    """Each column is as before, so no test of single columns can see it."""
    generator = np.random.default_rng(2)
    test = _test(_rows(generator, 3_000, together=0.8), _rows(generator, 3_000))

    assert test.tells
    assert test.low > 0.55


def test_the_column_that_moved_is_named_first() -> None:
    """A moved column is told, with missing cells in others."""
    generator = np.random.default_rng(3)
    before, now = _rows(generator, 2_000), _rows(generator, 2_000, mean=0.6)
    for side in (before, now):
        side[generator.random(2_000) < 0.3, 3] = np.nan
    test = _test(before, now)

    assert test.tells
    assert test.columns[0] == "c"
    assert 0.62 < test.auc < 0.72


def test_too_few_rows_tell_nothing() -> None:
    """Below 200 rows on a side there is no answer."""
    generator = np.random.default_rng(4)

    assert domain_test("today", _rows(generator, 199), _rows(generator, 500), NAMES, 0) is None
