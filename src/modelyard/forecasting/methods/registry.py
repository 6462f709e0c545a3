"""Which methods a plan asks for, and how what they learnt is read back."""

from collections.abc import Mapping
from typing import Any

from modelyard.forecasting.methods.arima import Arima
from modelyard.forecasting.methods.average import AVERAGE, FittedAverage
from modelyard.forecasting.methods.boosting import BoostedLags, FittedBoosting
from modelyard.forecasting.methods.local import LIMIT_S, LocalFitted, LocalMethod, SeriesModel
from modelyard.forecasting.methods.method import Fitted, Method
from modelyard.forecasting.methods.simple import Naive, SeasonalNaive
from modelyard.forecasting.methods.smoothing import Smoothing

__all__ = ["load_fitted", "methods_for"]

_LOCAL: Mapping[str, tuple[int, type[SeriesModel]]] = {"ets": (2, Smoothing), "arima": (3, Arima)}


def methods_for(
    names: tuple[str, ...], seasons: tuple[int, ...], *, seed: int, squared: bool, limit_s: float = LIMIT_S
) -> tuple[Method, ...]:
    """The methods in the order of their complexity; the naive answer is always among them.

    Parameters
    ----------
    names
        Of the plan.
    seasons
        Each gives a seasonal naive answer of its own.
    seed, squared
        As :class:`~modelyard.forecasting.methods.boosting.BoostedLags` has them.
    limit_s
        Longest time for a method that learns each series alone.
    """
    found: list[Method] = [Naive()]
    if "seasonal_naive" in names:
        found += [SeasonalNaive(season) for season in seasons]
    found += [LocalMethod(name, rank, model(), limit_s) for name, (rank, model) in _LOCAL.items() if name in names]
    if "lightgbm" in names:
        found.append(BoostedLags(seed, squared))
    return tuple(found)


def load_fitted(name: str, content: Mapping[str, Any]) -> Fitted:
    """A fitted method from what its ``to_dict`` gave."""
    if name == AVERAGE:
        return FittedAverage({member: load_fitted(member, own) for member, own in content["members"].items()})
    if name in _LOCAL:
        return LocalFitted(_LOCAL[name][1](), content["learnt"])
    if name == "lightgbm":
        return FittedBoosting(content["text"], tuple(content["names"]), tuple(content["scales"]))
    return SeasonalNaive(int(content["season"])) if "season" in content else Naive()
