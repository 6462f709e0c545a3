"""Progress in the terminal: one bar a step, drawn on standard error while somebody watches, and gone afterwards."""

import functools
from typing import TYPE_CHECKING

from modelyard.core.progress import Progress, ProgressEvent, silent

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

__all__ = ["clear_progress", "console", "terminal_progress"]


@functools.cache
def console() -> "Console":
    """The one console of this process; people's text goes to standard output."""
    from rich.console import Console

    return Console(highlight=False)


def terminal_progress() -> Progress:
    """A listener that draws the bars; silent when nobody watches."""
    from rich.console import Console

    errors = Console(stderr=True)
    return _display(errors).listen if errors.is_terminal else silent


def clear_progress() -> None:
    """Take away the bars of steps that were interrupted or failed, before anything else is written."""
    for display in _DISPLAYS:
        display.clear()


class _Display:
    """The live bars of this process.

    Parameters
    ----------
    bars
        Shown from the first event of a step until all steps are complete, or cleared.
    """

    def __init__(self, bars: "Bars") -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def listen(self, event: ProgressEvent) -> None:
        """Draw one event."""
        total = event.total or None
        if event.step not in self._tasks:
            self._bars.start()
            self._tasks[event.step] = self._bars.add_task(event.step, total=total, message="")
        self._bars.update(self._tasks[event.step], completed=event.done, total=total, message=event.message)
        if event.total and event.done >= event.total:
            self._bars.remove_task(self._tasks.pop(event.step))
        if not self._tasks:
            self._bars.stop()

    def clear(self) -> None:
        """Remove what is not complete."""
        for task in self._tasks.values():
            self._bars.remove_task(task)
        self._tasks.clear()
        self._bars.stop()


_DISPLAYS: list[_Display] = []


def _display(errors: "Console") -> _Display:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("[bold]{task.description:<14}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[message]}"),
    )
    display = _Display(Bars(*columns, console=errors, transient=True))
    _DISPLAYS.append(display)
    return display
