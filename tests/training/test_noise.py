"""Differences have honest standard errors: known ones, correlated rows, and nothing for equals."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from modelyard.training.choosing.noise import Evidence
from modelyard.training.folds import RowKeys, plan_folds

Array = npt.NDArray[np.float64]


def evidence(metric: str, truth: Array, answers: dict[str, Array], keys: RowKeys | None = None) -> Evidence:
    """Evidence from predictions that count as out of fold."""
    if keys is None:
        keys = RowKeys("random", np.zeros(len(truth), dtype=np.int64), np.empty(0, dtype=np.int64))
    return Evidence(metric, truth, plan_folds(keys, 4, 0), keys, answers.__getitem__, seed=0)


def test_standard_error_of_a_mean_is_the_textbooks() -> None:
    """The difference of two mean absolute errors is a mean of differences: its error is sd / √n."""
    generator = np.random.default_rng(0)
    truth, noise = generator.normal(size=2_000), generator.normal(size=2_000)
    found = evidence("mae", truth, {"near": truth, "far": truth + noise}).gain("near", "far")

    assert found.mean == pytest.approx(np.abs(noise).mean(), rel=0.01)
    assert found.standard_error == pytest.approx(np.abs(noise).std() / np.sqrt(2_000), rel=0.2)


def test_direction_does_not_matter() -> None:
    """A gain is positive if the first is better, for metrics of either direction; swapped, it changes its sign."""
    generator = np.random.default_rng(1)
    truth = generator.integers(0, 2, 400).astype(float)
    good = np.clip(truth * 0.4 + generator.uniform(0, 0.6, 400), 0.01, 0.99)
    bad = generator.uniform(0.01, 0.99, 400)
    for metric in ("roc_auc", "log_loss"):
        found = evidence(metric, truth, {"good": good, "bad": bad})

        assert found.gain("good", "bad").mean > 3 * found.gain("good", "bad").standard_error > 0
        assert found.gain("bad", "good").mean == -found.gain("good", "bad").mean


def test_equals_differ_by_nothing() -> None:
    """Equal predictions have no gain and no error, whatever their scores."""
    truth = np.arange(40.0)
    found = evidence("rmse", truth, {"a": truth + 1, "b": truth + 1})

    assert (found.gain("a", "b").mean, found.gain("a", "b").standard_error) == (0.0, 0.0)
    assert found.chance_bound(["a"], "b") == 0.0


def test_rows_of_a_group_count_less() -> None:
    """If all rows of a group err alike, the standard error grows by the root of the group's size."""
    generator = np.random.default_rng(2)
    groups = np.repeat(np.arange(100), 16)
    truth, noise = np.zeros(1_600), np.repeat(generator.normal(size=100), 16)
    answers = {"zero": truth, "noisy": noise}
    alone = evidence("mae", truth, answers).gain("zero", "noisy").standard_error
    keys = RowKeys("group", np.zeros(1_600, dtype=np.int64), groups.astype(np.int64))
    together = evidence("mae", truth, answers, keys).gain("zero", "noisy").standard_error

    assert together / alone == pytest.approx(4.0, rel=0.25)


def test_bound_grows_with_independent_tries_not_with_copies() -> None:
    """Twenty independent candidates need a higher bound than one; twenty copies of one do not."""
    generator = np.random.default_rng(3)
    truth = generator.normal(size=800)
    answers = {f"try-{index}": truth + generator.normal(size=800) for index in range(20)}
    answers |= {f"copy-{index}": answers["try-0"] for index in range(20)} | {"naive": np.zeros(800)}
    found = evidence("mae", truth, answers)
    one = found.chance_bound(["try-0"], "naive")

    widened = math.sqrt(1 + 4 / 3)  # four folds learn from much the same rows

    assert 1.3 < one / widened < 2.0
    assert found.chance_bound([f"copy-{index}" for index in range(20)], "naive") == one
    assert found.chance_bound([f"try-{index}" for index in range(20)], "naive") > one + 0.5


def test_stretches_of_time_are_drawn_together() -> None:
    """Errors that last for weeks are not averaged away."""
    truth = np.zeros(900)
    wave = np.sin(np.arange(900) / 40) + 1
    keys = RowKeys("time", np.zeros(900, dtype=np.int64), np.arange(900))
    alone = evidence("mae", truth, {"zero": truth, "wave": wave}).gain("zero", "wave").standard_error
    together = evidence("mae", truth, {"zero": truth, "wave": wave}, keys).gain("zero", "wave").standard_error

    assert together > 1.5 * alone


def test_luck_among_many_is_not_skill() -> None:
    """A gain that would convince of one candidate does not convince of the best of twenty; a clear one does."""
    generator = np.random.default_rng(15)
    truth = generator.normal(size=600)
    answers = {f"try-{index}": 0.005 * generator.normal(size=600) for index in range(20)}
    answers |= {"naive": np.zeros(600), "skilled": truth / 2}
    found = evidence("rmse", truth, answers)
    tries = [name for name in answers if name.startswith("try-")]
    lucky = max(tries, key=lambda name: found.gain(name, "naive").mean / found.gain(name, "naive").standard_error)

    assert found.beats(lucky, "naive", [lucky])
    assert not found.beats(lucky, "naive", tries)
    assert found.beats("skilled", "naive", [*tries, "skilled"])


def test_folds_in_time_share_nothing_by_chance() -> None:
    """The bound of random folds is widened for what their models share; that of folds in time is not."""
    generator = np.random.default_rng(4)
    truth = generator.normal(size=2_000)
    answers = {"try": truth + generator.normal(size=2_000), "naive": np.zeros(2_000)}
    moments = RowKeys("time", np.zeros(2_000, dtype=np.int64), np.arange(2_000))
    in_time = evidence("mae", truth, answers, moments).chance_bound(["try"], "naive")
    at_random = evidence("mae", truth, answers).chance_bound(["try"], "naive")

    assert 1.3 < in_time < 2.0
    assert at_random / in_time == pytest.approx(math.sqrt(1 + 4 / 3), rel=0.25)
