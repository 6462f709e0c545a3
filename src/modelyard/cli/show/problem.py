"""Views of the question: a new project, its check, its configuration."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.syntax import Syntax
from rich.text import Text

from modelyard.cli.show.blocks import counted, facts, findings_view, headline, hint, link, plain_table, stack

if TYPE_CHECKING:
    from modelyard.audit import Check
    from modelyard.problem import ProblemDraft
    from modelyard.project import Project
    from modelyard.status import CheckReport

__all__ = ["show_check", "show_checks", "show_config", "show_new", "show_schema"]


def show_new(project: "Project", report: "CheckReport") -> RenderableType:
    """What was made, what was inferred and why, and what is still open."""
    return stack(
        headline(f"Project {project.problem.name} is ready.", f"{report.rows:,} rows, {report.columns} columns"),
        link("file", project.root / "modelyard.yaml"),
        plain_table(("inferred", "value", "because"), _inferred_rows(project.draft)) if project.draft else None,
        findings_view(report.findings),
        hint(f"Complete the file, then: cd {project.root} && modelyard audit"),
    )


def _inferred_rows(draft: "ProblemDraft") -> Iterator[tuple[str, str, str]]:
    """Key, value and reason; what concerns the user's columns by name."""
    for key, (value, why) in draft.inferred.items():
        yield key, ", ".join(map(str, value)) if isinstance(value, (tuple, list, dict)) else str(value), why


def show_check(report: "CheckReport") -> RenderableType:
    """The question in a few facts, and the findings about it."""
    return stack(
        headline("The question has errors." if report.has_errors else "The question can be asked."),
        facts(
            (
                ("task", f"{report.task}, target {report.target}"),
                ("metric", report.metric),
                ("data", f"version {report.dataset_id}, {report.rows:,} rows, {report.columns} columns"),
                ("split", report.split),
                ("sealed", f"{report.test_rows:,} test rows, opened {counted(report.openings, 'time')}"),
            )
        ),
        findings_view(report.findings),
    )


def show_config(rows: Sequence[tuple[str, str, str]]) -> RenderableType:
    """All effective values, those that somebody set in bold."""
    table = plain_table(("key", "value", "from"), ())
    for key, value, origin in rows:
        style = "dim" if origin == "default" else "bold"
        table.add_row(Text(key, style=style), Text(value, style=style), Text(origin, style="dim"))
    return table


def show_checks(checks: Sequence["Check"]) -> RenderableType:
    """Every check: what it finds and what harm that does."""
    table = plain_table(("check", "row", "what it finds, and the harm"), ())
    for check in checks:
        table.add_row(Text(check.id, style="bold"), check.row, f"{check.finds} {check.harm}")
    return table


def show_schema(schema: dict[str, Any]) -> RenderableType:
    """The JSON Schema, for reading."""
    return Syntax(json.dumps(schema, indent=2, ensure_ascii=False), "json", background_color="default")
