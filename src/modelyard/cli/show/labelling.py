"""Views of labels: what was handed out, what came in, how far people agree, and the table that was made."""

from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from modelyard.cli.show.blocks import counted, facts, headline, hint, plain_table, stack

if TYPE_CHECKING:
    from modelyard.data.labelling import Annotations, Verdict
    from modelyard.retraining.labelling import LabelExport, LabelledTable

__all__ = ["show_export", "show_import", "show_table", "show_verdict"]

_MOST_DISPUTES = 20


def show_export(export: "LabelExport") -> RenderableType:
    """How many rows, why these, and what comes next."""
    return stack(
        headline(f"{counted(export.random + export.uncertain, 'row')} to label", export.path),
        facts((("by chance", f"{export.random:,}"), ("most uncertain", f"{export.uncertain:,}"))),
        Text(export.note, style="yellow") if export.note else None,
        hint(f"modelyard label import {export.path} --annotator NAME"),
    )


def show_import(record: "Annotations") -> RenderableType:
    """Who labelled how many rows."""
    return stack(
        headline(counted(len(record.labels), "label"), f"by {record.annotator}, {record.id}"),
        hint("modelyard label show"),
    )


def show_verdict(verdict: "Verdict") -> RenderableType:
    """Agreement by pair, disputes by row, and who was left out."""
    pairs = plain_table(
        ("annotators", "rows", "same", "kappa", "95 %"),
        (
            (
                f"{item.first}, {item.second}",
                f"{item.rows:,}",
                "–" if item.same is None else f"{item.same:.0%}",
                "–" if item.kappa is None else f"{item.kappa:.2f}",
                "–" if item.low is None or item.high is None else f"{item.low:.2f} to {item.high:.2f}",
            )
            for item in verdict.agreements
        ),
        numeric=(1, 2, 3),
    )
    disputes = plain_table(
        ("row", "labels", "held"),
        (
            (item.row, ", ".join(f"{who}: {label}" for who, label in item.labels.items()), item.held or "–")
            for item in verdict.disputes[:_MOST_DISPUTES]
        ),
    )
    return stack(
        headline(f"{counted(len(verdict.labels), 'row')} labelled", f"{counted(len(verdict.disputes), 'dispute')}"),
        facts(
            (
                ("rule", verdict.rule.disputes),
                ("too few labels", f"{verdict.too_few:,}"),
                *(("left out", f"{name}, mean kappa {kappa:.2f}") for name, kappa in verdict.left_out.items()),
            )
        ),
        pairs if verdict.agreements else None,
        disputes if verdict.disputes else None,
    )


def show_table(made: "LabelledTable") -> RenderableType:
    """The table, its version and its parents."""
    return stack(
        headline(f"{counted(made.rows, 'row')} in {made.path}", f"version {made.dataset_id}"),
        facts((("rows of", ", ".join(made.parents)), ("disputes", f"{len(made.verdict.disputes):,}"))),
        hint(f"modelyard retrain --data {made.path}"),
    )
