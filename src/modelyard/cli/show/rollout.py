"""The view of a rollout: where it stands, and what happened on the way."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from modelyard.cli.show.blocks import facts, headline, hint, number, plain_table, stack
from modelyard.governance import RolloutChange, RolloutView
from modelyard.rollout import Phase
from modelyard.serving.routing.beside import Beside

__all__ = ["show_rollout"]


def show_rollout(view: RolloutView, changes: Sequence[RolloutChange], beside: Beside) -> RenderableType:
    """Phase, weight and reason, both versions side by side, then every change with the figures on which it rested."""
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
        _compared(view, beside),
        table,
        _next(view),
    )


def _compared(view: RolloutView, beside: Beside) -> RenderableType:
    """Rows, labels and metric of both, and the difference with the interval that one may look at as often as one likes."""
    rows = (
        (f"version {view.rollout.version}, new", beside.rows, beside.labelled, beside.value),
        (f"version {view.rollout.champion}", beside.champion_rows, beside.champion_labelled, beside.champion_value),
    )
    shown = ((name, f"{count:,}", f"{labelled:,}", number(value)) for name, count, labelled, value in rows)
    line = f"difference: {beside.verdict}"
    if beside.low is not None:
        line = (
            f"difference {number(beside.difference)}, between {number(beside.low)} and {number(beside.high)}: "
            f"{beside.verdict}. Look as often as you like: it errs in {beside.alpha:.0%} at most, over all looks."
        )
    return stack(
        plain_table(("side by side", "rows", "with label", beside.metric), shown, numeric=(1, 2, 3)), Text(line)
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
