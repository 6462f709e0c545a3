"""Progress in the terminal: one line that moves, and a line kept for each thing finished."""

import functools
from typing import TYPE_CHECKING

from modelyard.core.progress import Progress, ProgressEvent, silent

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["console", "terminal_progress"]


@functools.cache
def console() -> "Console":
    """The one console of this process; people's text goes to standard output."""
    from rich.console import Console

    return Console(highlight=False)


def terminal_progress() -> Progress:
    """A listener that draws a bar per step on standard error; silent when nobody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    errors = Console(stderr=True)
    if not errors.is_terminal:
        return silent
    bars = Bars(
        TextColumn("[bold]{task.description:<14}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[message]}"),
        console=errors,
        transient=True,
    )
    tasks: dict[str, TaskID] = {}

    def listen(event: ProgressEvent) -> None:
        if event.step not in tasks:
            bars.start()
            tasks[event.step] = bars.add_task(event.step, total=event.total or None, message="")
        bars.update(tasks[event.step], completed=event.done, total=event.total or None, message=event.message)
        if event.total and event.done >= event.total:
            bars.remove_task(tasks.pop(event.step))
        if not tasks:
            bars.stop()

    return listen
