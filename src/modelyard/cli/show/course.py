"""The one view of everything that a course has to say."""

from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from modelyard.cli.show.blocks import findings_view, headline, hint, link, plain_table, stack
from modelyard.courses import Outcome

__all__ = ["show_outcome"]


def show_outcome(outcome: Outcome) -> RenderableType:
    """The answer, its reasons, its table, what wants a decision, and what comes next."""
    return stack(
        headline(outcome.headline, outcome.note),
        Text("\n".join(outcome.said)) if outcome.said else None,
        plain_table(outcome.columns, outcome.rows, numeric=outcome.numeric) if outcome.rows else None,
        findings_view(outcome.findings) if outcome.findings else None,
        link("file" if Path(outcome.page).suffix != ".html" else "report", Path(outcome.page))
        if outcome.page
        else None,
        hint(outcome.next_step) if outcome.next_step else None,
    )
