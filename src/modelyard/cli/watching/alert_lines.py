"""Alerts that go to the process's log, as lines in the terminal: what is new, while the findings say why."""

import logging

__all__ = ["AlertLines", "show_alerts"]

_STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}


class AlertLines(logging.Handler):
    """Writes one line a message to standard error, where it does not mix with the answer of ``--json``."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line."""
        from rich.console import Console
        from rich.text import Text

        notice = getattr(record, "alert", None)
        if notice is None:
            line = Text(record.getMessage())
        else:
            style = "green" if notice["news"] == "resolved" else _STYLES[notice["severity"]]
            line = Text.assemble(("  ⚑ ", style), ("alert ", "dim"), (notice["title"], style), f" ({notice['news']})")
        Console(stderr=True, highlight=False, soft_wrap=True).print(line)


def show_alerts() -> None:
    """Show what the logger ``modelyard.alerts`` gets from now on, once, however often this is called."""
    logger = logging.getLogger("modelyard.alerts")
    if not any(isinstance(handler, AlertLines) for handler in logger.handlers):
        logger.addHandler(AlertLines())
        logger.setLevel(logging.INFO)
        logger.propagate = False
