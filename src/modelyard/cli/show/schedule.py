"""Views of ticks and jobs."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from modelyard.cli.show.blocks import counted, headline, hint, plain_table, stack
from modelyard.schedule import JobState, Outcome, Ran, Tick

__all__ = ["line_of", "show_jobs", "show_tick"]


def line_of(ran: Ran) -> str:
    """One run in one line."""
    missed = f" ({counted(ran.missed, 'missed time')} made up with it)" if ran.missed else ""
    failed = f"{ran.outcome}, for the {_ordinal(ran.failures)} time: " if ran.outcome is Outcome.FAILED else ""
    return f"{ran.slot:%Y-%m-%d %H:%M} UTC  {ran.job}  {failed}{ran.said}{missed}"


def show_tick(tick: Tick) -> RenderableType:
    """What was done, and when something is due next."""
    did = [run for run in tick.ran if run.outcome is not Outcome.NOTHING]
    quiet = len(tick.ran) - len(did)
    note = f"{counted(quiet, 'job')} had nothing to do" if quiet else ""
    lines = [Text(line_of(run), style="red" if run.outcome is Outcome.FAILED else "") for run in did]
    return stack(
        headline(f"{counted(len(did), 'thing')} done." if did else "Nothing was to be done.", note),
        *lines,
        Text(f"next: {tick.next:%Y-%m-%d %H:%M} UTC", style="dim") if tick.next else None,
        hint("modelyard tick --show") if tick.has_failures else None,
    )


def show_jobs(states: Sequence[JobState]) -> RenderableType:
    """Each job with its time, its last word and when it is due."""
    if not states:
        return Text("Every job is off.")
    rows = (
        (
            state.job,
            state.when,
            f"{state.next:%Y-%m-%d %H:%M}",
            f"{state.ended:%Y-%m-%d %H:%M}" if state.ended else "never",
            (f"failed {counted(state.failures, 'time')}: " if state.failures else "") + (state.said or "–"),
        )
        for state in states
    )
    return plain_table(("job", "when", "due (UTC)", "last run (UTC)", "what it said"), rows)


def _ordinal(number: int) -> str:
    """``1st``, ``2nd``, ``3rd``, ``11th``."""
    last = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 <= number % 100 <= 20 else last}"
