"""Latency, errors and repeated rows by window, each against the windows before."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from modelyard.core import Finding, Record, Severity
from modelyard.monitoring.flow.persistence import persistent_severity
from modelyard.monitoring.quality import chance_of_so_many
from modelyard.monitoring.windows import Window
from modelyard.report import format_number, format_percent

__all__ = ["ServiceWindow", "service_findings", "service_windows"]

_FEWEST_BEFORE = 3
_MOST_BEFORE = 28
_TIMES_SLOWER = 2.0
_FLOOR_MS = 1.0
_CHANCE = 1e-4


@dataclasses.dataclass(frozen=True)
class ServiceWindow(Record):
    """How the service did in one window.

    Parameters
    ----------
    name, rows
        The window.
    latency_p50_ms, latency_p95_ms
        Of the answers; None where no latency was logged.
    unscored
        Rows without a finite score.
    flagged
        Rows that broke a lenient rule of the contract.
    repeated
        Rows that equal an earlier row of the window in every feature, at the same moment or not.
    """

    name: str
    rows: int
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    unscored: int
    flagged: int
    repeated: int


@dataclasses.dataclass(frozen=True)
class _Share:
    """A share of rows that is watched: how it is read, what margin is harmless, and what is said of it.

    A relative one is held against the windows before; the others against none at all.
    """

    id: str
    read: Callable[[ServiceWindow], int]
    margin: float
    words: str
    why: str
    action: str
    is_relative: bool = True


_SHARES = (
    _Share(
        "errors",
        lambda window: window.unscored,
        0.01,
        "of the rows have no score",
        "A caller that gets no score decides without the model.",
        "Read the service's log for the errors of these rows.",
        is_relative=False,
    ),
    _Share(
        "flagged-rows",
        lambda window: window.flagged,
        0.02,
        "of the rows break a lenient rule of the contract",
        "They were answered, on values that training never saw.",
        "See which rules they break, in the log's column `flags`.",
    ),
    _Share(
        "repeated-rows",
        lambda window: window.repeated,
        0.1,
        "of the rows repeat another row in every feature",
        "Rows that are sent twice count twice, in every share and every metric.",
        "Ask whoever sends them whether a batch came twice.",
    ),
)


def service_windows(windows: Sequence[Window]) -> tuple[ServiceWindow, ...]:
    """How the service did in each window."""
    return tuple(_service(window) for window in windows)


def _service(window: Window) -> ServiceWindow:
    frame = window.frame
    middle = slow = None
    if "latency_ms" in frame.columns:
        known = frame["latency_ms"].cast(pl.Float64, strict=False).drop_nulls().drop_nans().to_numpy()
        if len(known):
            middle, slow = (float(value) for value in np.quantile(known, [0.5, 0.95]))
    unscored = flagged = repeated = 0
    if "score" in frame.columns:
        unscored = int((~np.isfinite(frame["score"].cast(pl.Float64, strict=False).to_numpy())).sum())
    if "flags" in frame.columns and isinstance(frame["flags"].dtype, pl.List):
        flagged = int((frame["flags"].list.len() > 0).sum())
    features = [name for name in frame.columns if name.startswith("feature.")]
    if features:
        repeated = frame.height - frame.select(features).n_unique()
    return ServiceWindow(window.facts.name, frame.height, middle, slow, unscored, flagged, repeated)


def service_findings(windows: Sequence[ServiceWindow]) -> list[Finding]:
    """What left the usual: latency doubled, or more errors, flagged or repeated rows than the windows before had.

    A share alarms if it is above the earlier windows' median by more than its margin, and by more than chance gives once in
    10,000 windows; with fewer than three windows before it is not judged. Errors are held against none: a service that always
    fails is not usual.
    """
    found = [_latency_finding(windows)]
    found += [_share_finding(windows, share) for share in _SHARES]
    return [finding for finding in found if finding is not None]


def _latency_finding(windows: Sequence[ServiceWindow]) -> Finding | None:
    known = [(window.name, window.latency_p95_ms) for window in windows if window.latency_p95_ms is not None]
    levels: list[int] = []
    alarms: list[tuple[str, float, float]] = []
    for place, (name, slow) in enumerate(known):
        before = [value for _, value in known[max(place - _MOST_BEFORE, 0) : place]]
        usual = float(np.median(before)) if len(before) >= _FEWEST_BEFORE else np.inf
        levels.append(2 if slow > max(_TIMES_SLOWER * usual, _FLOOR_MS) else 0)
        alarms += [(name, slow, usual)] if levels[-1] else []
    severity = persistent_severity(levels)
    if severity is None:
        return None
    name, slow, usual = alarms[-1]
    message = (
        f"One answer in twenty took {format_number(slow)} ms or more in {name}; {format_number(usual)} ms is usual; "
        f"doubled in {len(alarms)} of {len(known)} windows."
    )
    why = "A caller that waits too long gives up, and decides without the model."
    action = "Look at the load of the machine, the size of requests, and what was deployed."
    evidence = {"latency_p95_ms": slow, "usual_ms": usual}
    return Finding("latency-doubled", Severity(severity), "latency_ms", message, why, action, evidence, "M1")


def _share_finding(windows: Sequence[ServiceWindow], share: _Share) -> Finding | None:
    levels: list[int] = []
    usuals: list[float] = []
    for place, window in enumerate(windows):
        before = windows[max(place - _MOST_BEFORE, 0) : place]
        usual = (
            float(np.median([share.read(one) / one.rows for one in before])) if before and share.is_relative else 0.0
        )
        is_known = len(before) >= _FEWEST_BEFORE or not share.is_relative
        limit = min(usual + share.margin, 1.0)
        alarm = is_known and chance_of_so_many(share.read(window), window.rows, limit) < _CHANCE
        levels.append((3 if share.read(window) / window.rows >= usual + 0.2 else 1) if alarm else 0)
        usuals.append(usual)
    severity = persistent_severity(levels)
    if severity is None:
        return None
    place = max(number for number, level in enumerate(levels) if level)
    last = windows[place]
    now = share.read(last) / last.rows
    message = f"{format_percent(now)} {share.words} in {last.name}; {format_percent(usuals[place])} before."
    evidence = {"share": now, "usual": usuals[place], "windows_with_alarm": sum(level > 0 for level in levels)}
    return Finding(share.id, Severity(severity), "rows", message, share.why, share.action, evidence, "M1")
