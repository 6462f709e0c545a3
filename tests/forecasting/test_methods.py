"""Every method on series whose future is known."""

import json
import sys

import numpy as np
import pytest
from tests.forecasting.conftest import forecast_problem, sales

from modelyard.core import DataError, MissingExtraError
from modelyard.forecasting.methods import FittedAverage, Method, TooSlowError, load_fitted, methods_for
from modelyard.forecasting.methods.arima import Arima
from modelyard.forecasting.methods.local import LocalMethod
from modelyard.forecasting.methods.simple import Naive, SeasonalNaive
from modelyard.forecasting.series import Panel, build_panel
from modelyard.problem.sections.courses import FORECAST_METHODS

METHODS = methods_for(FORECAST_METHODS, (7,), seed=0, squared=False)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_method_tells_finite_steps_and_is_the_same_when_read_back(method: Method, two_shops: Panel) -> None:
    """What was learnt survives JSON, and tells the same to the last bit."""
    fitted = method.fit(two_shops, 7)
    told = fitted.forecast(two_shops, 7)
    again = load_fitted(method.name, json.loads(json.dumps(dict(fitted.to_dict()))))

    assert told.shape == (2, 7)
    assert np.isfinite(told).all()
    assert np.array_equal(again.forecast(two_shops, 7), told)


@pytest.mark.parametrize("method", METHODS[1:], ids=lambda method: method.name)
def test_a_week_is_told_by_all_but_the_naive_method(method: Method, two_shops: Panel) -> None:
    """The next week of both shops is told within three: level, and 30 more at the weekend."""
    known = two_shops.until(105)
    told = method.fit(known, 7).forecast(known, 7)
    expected = np.array([[100.0] * 5 + [130.0] * 2, [200.0] * 5 + [230.0] * 2])

    assert np.abs(told - expected).max() < 4
    assert np.abs(told - expected).mean() < 2


def test_naive_methods_tell_what_they_say() -> None:
    """The last value; the value a week before, over a horizon longer than a week."""
    panel = build_panel(sales(21, noise=0, trend=1.0), forecast_problem())
    last = panel.values[0, -7:]

    assert Naive().forecast(panel, 3)[0].tolist() == [last[-1]] * 3
    assert SeasonalNaive(7).forecast(panel, 9)[0].tolist() == [*last, *last[:2]]


def test_a_trend_is_told_by_methods_that_know_one(two_shops: Panel) -> None:
    """With half a sale more each day, ARIMA goes on rising; the seasonal naive answer stays a week behind."""
    panel = build_panel(sales(140, trend=0.5), forecast_problem())
    truth = 100 + np.where(np.arange(140, 147) % 7 >= 5, 30, 0) + 0.5 * np.arange(140, 147)
    arima = next(method for method in METHODS if method.name == "arima").fit(panel, 7).forecast(panel, 7)[0]
    behind = SeasonalNaive(7).forecast(panel, 7)[0]

    assert np.abs(arima - truth).mean() < 1.5 < np.abs(behind - truth).mean()
    assert two_shops.season == 7


def test_boosting_is_the_same_each_time(two_shops: Panel) -> None:
    """Equal seeds give equal forecasts, bit for bit."""
    method = METHODS[-1]

    first, second = (method.fit(two_shops, 7).forecast(two_shops, 7) for _ in range(2))

    assert np.array_equal(first, second)


def test_boosting_does_not_see_the_future(two_shops: Panel) -> None:
    """What is told at an origin does not change when later steps do."""
    fitted = METHODS[-1].fit(two_shops.until(90), 7)
    changed = two_shops.values.copy()
    changed[:, 100:] = 9_999.0
    other = Panel(two_shops.names, two_shops.moments, changed, two_shops.observed, "1d", (7,))

    assert np.array_equal(fitted.forecast(two_shops.until(100), 7), fitted.forecast(other.until(100), 7))


def test_a_series_that_was_not_learnt_is_told_too(two_shops: Panel) -> None:
    """A new shop gets a forecast near its own level from every method."""
    new = build_panel(sales(140, 5), forecast_problem(series=("shop",))).only([4])

    for method in (*METHODS[:3], METHODS[-1]):  # ARIMA learns a new series as ETS does
        told = method.fit(two_shops, 7).forecast(new, 7)
        assert np.abs(told - 510).max() < 60, method.name


def test_the_average_is_the_mean_of_its_members(two_shops: Panel) -> None:
    """Nothing more than the mean, also when read back."""
    members = {method.name: method.fit(two_shops, 7) for method in METHODS[:2]}
    mean = np.mean([member.forecast(two_shops, 7) for member in members.values()], axis=0)
    again = load_fitted("average", json.loads(json.dumps(dict(FittedAverage(members).to_dict()))))

    assert np.allclose(again.forecast(two_shops, 7), mean)


def test_constant_series_are_refused_by_methods_that_fit_them() -> None:
    """There is nothing to fit; the naive answer is enough."""
    panel = build_panel(sales(60).with_columns(sold=5.0), forecast_problem())

    with pytest.raises(DataError, match="no series has 12 values that change"):
        LocalMethod("arima", 3, Arima()).fit(panel, 7)
    assert Naive().forecast(panel, 2).tolist() == [[5.0, 5.0]]


def test_a_method_that_would_take_too_long_is_left_out(two_shops: Panel) -> None:
    """What the first series takes says whether there is time for all."""
    with pytest.raises(TooSlowError, match="it would take about 1 minutes for 2 series"):
        LocalMethod("arima", 3, Arima(), limit_s=0.0001).fit(two_shops, 7)


def test_without_its_library_a_method_says_what_to_install(two_shops: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra."""
    monkeypatch.setitem(sys.modules, "statsmodels", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'modelyard\[forecasting\]'"):
        LocalMethod("arima", 3, Arima()).fit(two_shops, 7)
