"""What people and rollouts decide, in Prometheus' text format; the variants' figures while a version is rolled out."""

from collections.abc import Iterator

from modelyard.rollout import Phase
from modelyard.serving.rest.metrics import family, sample
from modelyard.serving.routing.router import Router, Routing

__all__ = ["routing_lines"]


def routing_lines(routing: Routing) -> Iterator[str]:
    """Lines for ``/metrics``."""
    name = "modelyard_rollouts_aborted_total"
    yield from family(name, "counter", "Rollouts that this process took back by itself.")
    yield sample(name, {}, routing.aborted)
    name = "modelyard_broken_glass"
    yield from family(name, "gauge", "Promotions past the gates that nobody has reviewed.")
    yield sample(name, {}, routing.broken_glass)
    if routing.router is not None:
        yield from _lines(routing.router)


def _lines(router: Router) -> Iterator[str]:
    version = router.candidate.version
    yield from family("modelyard_rollout_weight", "gauge", "Share of the requests that the new version answers.")
    yield sample("modelyard_rollout_weight", {"version": version}, router.share)
    yield from family("modelyard_rollout_phase", "gauge", "Where the rollout stands; 1 for one of the phases.")
    for phase in Phase:
        yield sample("modelyard_rollout_phase", {"phase": phase.value}, float(phase is router.phase))
    counts = (
        ("requests", "Requests that a variant was asked."),
        ("rows", "Rows that a variant answered."),
        ("errors", "Requests at which a variant failed."),
        ("invalid", "Requests that a variant answered with a score that is none."),
    )
    for what, text in counts:
        yield from family(f"modelyard_variant_{what}_total", "counter", text)
        for role, tally in router.tallies.items():
            yield sample(f"modelyard_variant_{what}_total", {"role": role}, getattr(tally, what))
    name = "modelyard_variant_duration_seconds_total"
    yield from family(name, "counter", "Time that a variant took to answer.")
    for role, tally in router.tallies.items():
        yield sample(name, {"role": role}, tally.latency_s)
    if router.lane is not None:
        yield from family("modelyard_shadow_dropped_total", "counter", "Requests that the shadow had no room for.")
        yield sample("modelyard_shadow_dropped_total", {}, router.lane.dropped)
