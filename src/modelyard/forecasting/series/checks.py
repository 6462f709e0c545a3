"""What is wrong with series before anything is learnt from them."""

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np

from modelyard.core import DataError, Finding, Severity
from modelyard.forecasting.series.panel import Panel
from modelyard.problem.sections.courses import ForecastPlan

__all__ = ["Usable", "check_panel", "usable_series"]

_SHOWN = 3
_FEW_GAPS = 0.02
_LEAST_STEPS = 12
_JUMP = 8.0


@dataclasses.dataclass(frozen=True)
class Usable:
    """What the backtest can be made of.

    Parameters
    ----------
    rows
        Series that are long enough and go on to the end.
    left_out
        The others, with the reason.
    windows
        Windows that fit.
    """

    rows: tuple[int, ...]
    left_out: Mapping[str, str]
    windows: int


def usable_series(panel: Panel, plan: ForecastPlan) -> Usable:
    """Which series can be tried, over how many windows: each needs two horizons and a dozen steps before the first.

    Two seasons are asked for where the panel has them.

    Raises
    ------
    DataError
        If no series is long enough for two windows.
    """
    lengths = np.isfinite(panel.values).sum(axis=1)
    need = max(2 * plan.horizon, _LEAST_STEPS)
    seasoned = max(need, 2 * panel.season)
    alive = panel.is_alive()
    best = int(lengths[alive].max(initial=0))
    need = seasoned if best >= seasoned + 2 * plan.horizon else need
    windows = min(plan.windows, (best - need) // plan.horizon)
    if windows < 2:
        raise DataError(
            "no series is long enough for the horizon",
            where="forecast.horizon",
            got=f"{best:,} steps before the sealed part, {need + 2 * plan.horizon:,} needed for {plan.horizon} steps ahead",
            cure="Bring more history, or set a smaller forecast.horizon",
        )
    left_out: dict[str, str] = {}
    rows = []
    for row, name in enumerate(panel.names):
        if not alive[row]:
            left_out[name] = "it has ended"
        elif lengths[row] < need + windows * plan.horizon:
            left_out[name] = f"it has {lengths[row]:,} steps, {need + windows * plan.horizon:,} are needed"
        else:
            rows.append(row)
    return Usable(tuple(rows), left_out, windows)


def check_panel(panel: Panel, plan: ForecastPlan) -> tuple[Finding, ...]:
    """All findings about the series."""
    return tuple(finding for check in (_gaps, _constant, _jumps, _left_out) for finding in check(panel, plan))


def _gaps(panel: Panel, plan: ForecastPlan) -> Iterator[Finding]:
    inside = np.isfinite(panel.values)
    missing = inside & ~panel.observed
    count, share = int(missing.sum()), float(missing.sum() / inside.sum())
    if count == 0:
        return
    worst = np.argsort(-missing.sum(axis=1), kind="stable")[:_SHOWN]
    named = ", ".join(f"{panel.names[row]} ({int(missing[row].sum()):,})" for row in worst if missing[row].any())
    yield Finding(
        "series-gaps",
        Severity.WARNING if share > _FEW_GAPS else Severity.INFO,
        "time",
        f"{count:,} of {int(inside.sum()):,} steps ({share:.1%}) have no value: {named}.",
        "A method needs a value at every step; what is put there is a guess, and a gap that means zero is no gap.",
        f"Gaps are filled by {plan.fill!r} and never scored; set forecast.fill: zero if no row means none.",
        {"missing": count, "share": share},
        "D6",
    )


def _constant(panel: Panel, _: ForecastPlan) -> Iterator[Finding]:
    still = [name for row, name in enumerate(panel.names) if np.ptp(panel.history(row)) == 0]
    if not still:
        return
    yield Finding(
        "series-constant",
        Severity.WARNING,
        still[0] if len(still) == 1 else "series",
        f"{len(still):,} of {len(panel.names):,} series never change: {_listed(still)}.",
        "Scaled measures divide by what the naive answer misses, which is zero there; such a series is told by its value.",
        "Leave them out at the source if they are dead.",
        {"series": still[:100]},
        "D6",
    )


def _jumps(panel: Panel, _: ForecastPlan) -> Iterator[Finding]:
    """A last tenth whose level lies many usual changes away from the tenth before."""
    moved = []
    for row, name in enumerate(panel.names):
        history = panel.history(row)
        tenth = len(history) // 10
        if tenth < _LEAST_STEPS:
            continue
        last, before = history[-tenth:], history[-2 * tenth : -tenth]
        spread = np.median(np.abs(before - np.median(before)))
        if spread > 0 and abs(np.median(last) - np.median(before)) > _JUMP * spread:
            moved.append(name)
    if moved:
        yield Finding(
            "series-level-shift",
            Severity.WARNING,
            moved[0] if len(moved) == 1 else "series",
            f"{len(moved):,} of {len(panel.names):,} series have moved to another level lately: {_listed(moved)}.",
            "What was learnt from before may no longer hold, and the backtest mixes both levels.",
            "Ask what happened; if it stays, leave the time before out at the source.",
            {"series": moved[:100]},
            "D9",
        )


def _left_out(panel: Panel, plan: ForecastPlan) -> Iterator[Finding]:
    usable = usable_series(panel, plan)
    if usable.left_out:
        reasons = [f"{name} ({reason})" for name, reason in usable.left_out.items()]
        yield Finding(
            "series-left-out",
            Severity.WARNING,
            "series",
            f"{len(reasons):,} of {len(panel.names):,} series cannot be tried: {_listed(reasons)}.",
            "No figure speaks for them.",
            "Bring more of their history; forecasts of those that go on are told all the same.",
            {"series": list(usable.left_out)[:100]},
            "D8",
        )
    if usable.windows < plan.windows:
        yield Finding(
            "backtest-short",
            Severity.INFO,
            "forecast.windows",
            f"The history allows {usable.windows} of {plan.windows} windows.",
            "Fewer windows make the choice and the intervals less sure.",
            "Bring more history, or set a smaller forecast.horizon.",
            {"windows": usable.windows},
            "D8",
        )


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN:,} more"
