"""The winner fitted several times: as often as asked, or as time allows, within the constraints, and the same in a replay."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.training.conftest import Trial

from modelyard.packaging.compile import compile_estimator
from modelyard.problem import Problem, Task
from modelyard.training.blending import BlendEstimator
from modelyard.training.families import Promises
from modelyard.training.planning import Clock
from modelyard.training.search import units
from modelyard.training.search.fits import may_fit_again

MakeTrial = Callable[..., Trial]
PLAN: dict[str, Any] = {"folds": 3, "workers": 1, "unit_minutes": None, "tuning_rounds": 0}
BOOSTED = {**PLAN, "families": ["lightgbm"], "blend": False}


def test_the_winner_is_the_mean_of_as_many_fits_as_are_asked_for(trial: MakeTrial) -> None:
    """Three seeds of equal weight, the first of them the model that one fit would be; the score stays that of one."""
    one = trial("amount", training=BOOSTED)
    made = trial("amount", training={**BOOSTED, "fits": 3})
    alone, run = one.train(), made.train()
    model, frame = run.model("development"), made.split.validation.frame
    estimator = model.estimator
    assert isinstance(estimator, BlendEstimator)
    parts = [member.estimator.predict(model.encoder.transform(frame)) for member in estimator.members]

    assert (alone.record.fits, run.record.fits) == (1, 3)
    assert "It was fitted 3 times on all rows, with as many seeds, and the model is the mean" in run.record.why
    assert "fitted" not in alone.record.why
    np.testing.assert_array_equal(parts[0], alone.model("development").predict(frame))
    assert not np.array_equal(parts[0], parts[1])
    np.testing.assert_allclose(model.predict(frame), np.mean(parts, axis=0), rtol=1e-12)
    native = compile_estimator(estimator, Task.REGRESSION, model.family)
    np.testing.assert_allclose(
        native.predict_matrix(model.encoder.transform(frame))[:, 0], model.predict(frame), rtol=1e-9
    )
    assert (
        run.record.candidate(run.record.winner).fold_scores == alone.record.candidate(alone.record.winner).fold_scores
    )


def test_time_that_is_left_goes_into_further_fits_and_a_replay_repeats_them(
    trial: MakeTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a blend, the members that hang on their seed; a replay hears no clock and takes the number of the record."""
    families = ["random_forest", "xgboost"]
    made = trial("level", training={**PLAN, "budget": "60s", "families": families})
    with monkeypatch.context() as patch:
        patch.setattr(Clock, "fits", lambda *_: 4)
        first = made.train()
    again = made.repeat(first.record)
    model, frame = first.model("final"), made.split.validation.frame
    estimator = model.estimator
    assert isinstance(estimator, BlendEstimator)
    names = [member.name for member in estimator.members]

    assert first.record.winner.startswith("blend")
    assert first.record.fits == again.record.fits == 4
    for name in set(names):
        family = first.record.candidate(name).family
        assert names.count(name) == (4 if made.families[family].promises.varies else 1)
    assert {names.count(name) for name in names} == {1, 4}
    np.testing.assert_array_equal(again.model("final").predict(frame), model.predict(frame))


def test_a_mean_that_breaks_a_constraint_has_fewer_fits(trial: MakeTrial) -> None:
    """A limit on the size that two models keep and three do not."""
    size = trial("amount", training=BOOSTED).train().record.candidate("lightgbm").size_mb
    assert size is not None
    made = trial("amount", training={**BOOSTED, "fits": 9}, constraints={"model_size_mb": 2.5 * size})
    record = made.train().record

    assert record.fits == 2
    assert "The mean of more fits with other seeds would break a constraint." in record.why


def test_time_that_is_left_does_not_make_answers_slow(trial: MakeTrial, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock allows five; what is fitted again may take a millisecond for a row, unless a number is asked for."""
    ms = 0.4
    monkeypatch.setattr(units, "_median_ms", lambda *_: ms)
    monkeypatch.setattr(Promises, "most_ms", lambda *_: 2 * ms)
    monkeypatch.setattr(Clock, "fits", lambda *_: 5)
    left = trial("amount", training={**BOOSTED, "budget": "60s"}).train().record
    asked = trial("amount", training={**BOOSTED, "budget": "60s", "fits": 3}).train().record

    assert (left.fits, asked.fits) == (2, 3)
    assert "would take more than 1 ms for a row, which only a number in training.fits asks for" in left.why
    assert "more fits" not in asked.why


def test_what_does_not_hang_on_its_seed_is_fitted_once(trial: MakeTrial) -> None:
    """A linear model, however often it is asked for."""
    run = trial("amount", training={**PLAN, "families": ["linear"], "blend": False, "fits": 5}).train()

    assert run.record.fits == 1
    assert not isinstance(run.model("final").estimator, BlendEstimator)


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        ({"budget": "60s"}, True),
        ({}, False),
        ({"budget": "60s", "fits": 1}, False),
        ({"budget": "60s", "seeds": 3}, False),
        ({"budget": "60s", "nested": 3}, False),
    ],
)
def test_time_is_left_for_further_fits_only_where_nothing_else_was_asked_for(
    training: dict[str, Any], expected: bool
) -> None:
    """Without a budget, beside seeds or outer parts, or where the number is given, the clock has no say."""
    problem = Problem.model_validate({"data": {"source": "t.csv", "target": "y"}, "training": training})

    assert may_fit_again(problem) is expected
