"""Poisson numbers by inversion are distributed as they should be."""

import math

import numpy as np

from modelyard.training.choosing.draws import poisson_counts


def test_the_numbers_are_poisson() -> None:
    """The shares of 0, 1, 2 ... among three million numbers are those of the distribution, within five standard errors."""
    drawn = poisson_counts(np.random.default_rng(0), draws=30, rows=100_000)

    assert drawn.shape == (30, 100_000)
    for number in range(8):
        chance = math.exp(-1) / math.factorial(number)
        share = float((drawn == number).mean())
        assert abs(share - chance) < 5 * math.sqrt(chance / drawn.size) + 1 / 2**16


def test_rows_and_draws_are_independent() -> None:
    """Neither neighbours in a draw nor a row in two draws have anything in common."""
    drawn = poisson_counts(np.random.default_rng(1), draws=2, rows=200_000).astype(float)

    assert abs(np.corrcoef(drawn)[0, 1]) < 0.01
    assert abs(np.corrcoef(drawn[0, :-1], drawn[0, 1:])[0, 1]) < 0.01
