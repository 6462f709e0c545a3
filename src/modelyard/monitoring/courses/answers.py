"""Everything that is told of answers without a target, put together."""

import dataclasses
from collections.abc import Callable, Sequence

from modelyard.core import Finding
from modelyard.monitoring.courses.flags import flagged_finding
from modelyard.monitoring.courses.records import ClusterShare, FlaggedWindow, MetricTrail
from modelyard.monitoring.findings import performance_finding
from modelyard.monitoring.performance import PerformanceWindow
from modelyard.monitoring.windows import Window

__all__ = ["Answers", "metrics_beside", "needs_a_fair_draw"]

_BESIDE = ("pr_auc", "precision", "recall")


@dataclasses.dataclass(frozen=True)
class Answers:
    """Rows flagged, metrics beside the primary one, clusters; all empty for tasks with a target."""

    flagged: tuple[FlaggedWindow, ...] = ()
    beside: tuple[MetricTrail, ...] = ()
    clusters: tuple[ClusterShare, ...] = ()

    def findings(self) -> list[Finding]:
        """What a person should know of them; the mix of clusters is told by its drift."""
        lost = (performance_finding(trail.windows, trail.metric) for trail in self.beside)
        return [one for one in (flagged_finding(self.flagged), *lost) if one is not None]


def metrics_beside(
    windows: Sequence[Window], primary: str, measure: Callable[[str, Window], PerformanceWindow]
) -> tuple[MetricTrail, ...]:
    """Average precision, precision and recall in windows of labelled rows, but for the primary metric; nothing without windows.

    Parameters
    ----------
    measure
        Gives a metric in a window.
    """
    if not windows:
        return ()
    return tuple(
        MetricTrail(name, tuple(measure(name, window) for window in windows)) for name in _BESIDE if name != primary
    )


def needs_a_fair_draw(metric: str) -> bool:
    """False for the precision, which asks of flagged rows alone."""
    return metric != "precision"
