"""The view of a rollout: where it stands, and what happened on the way."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType

from modelyard.cli.show.blocks import facts, headline, hint, plain_table, stack
from modelyard.governance import RolloutChange, RolloutView
from modelyard.rollout import Phase

__all__ = ["show_rollout"]


def show_rollout(view: RolloutView, changes: Sequence[RolloutChange]) -> RenderableType:
    """Phase, weight and reason, then every change with the figures on which it rested."""
    rollout, state = view.rollout, view.state
    steps = len(rollout.plan.steps)
    table = plain_table(
        ("when", "who", "phase", "weight", "why", "figures"),
        (
            (
                f"{change.at:%Y-%m-%d %H:%M:%S}",
                change.actor,
                change.phase.value,
                f"{change.weight} %",
                change.why,
                _figures(change.numbers),
            )
            for change in changes
        ),
        numeric=(3,),
    )
    return stack(
        headline(
            f"Version {rollout.version} of {rollout.name}: {state.phase}.",
            f"{state.weight} % of the requests, beside version {rollout.champion}",
        ),
        facts(
            (
                ("strategy", rollout.plan.strategy.value),
                ("step", f"{min(state.step + 1, steps)} of {steps}, for {state.elapsed_s:.0f} s"),
                ("why", state.why or "–"),
            )
        ),
        table,
        _next(view),
    )


def _figures(numbers: Mapping[str, Any]) -> str:
    """Figure and baseline, a line each."""
    return "\n".join(
        f"{name} {value:.4g}" + ("" if other is None else f" (baseline {other:.4g})")
        for name, (value, other, _) in numbers.items()
        if value is not None
    )


def _next(view: RolloutView) -> RenderableType | None:
    """What a person may do now."""
    if view.state.phase is Phase.PAUSED and view.state.waits:
        return hint("modelyard rollout --resume")
    if view.state.phase is Phase.ABORTED:
        return hint(f'modelyard reject {view.rollout.version} --reason "..."')
    return None if view.state.phase.is_over else hint("modelyard serve")
