"""Files for Prometheus and Grafana."""

from pathlib import Path
from typing import TYPE_CHECKING

from modelyard.cli.session import Answer, Session

if TYPE_CHECKING:
    from modelyard.monitoring import MonitorReport

__all__ = ["FORMS", "watching_file", "write_figures"]

FORMS = ("prometheus", "grafana")
"""Forms of ``modelyard export`` that are about watching a model; they need no package."""


def watching_file(session: Session, form: str, to: Path | None) -> Answer:
    """Rules for Prometheus, or a board for Grafana."""
    import json

    from modelyard.cli.show.blocks import headline, hint, link, stack
    from modelyard.core import write_atomic
    from modelyard.monitoring.exporting import board, rule_file

    problem = session.project.problem
    if form == "prometheus":
        path = to or Path(f"{problem.name}.rules.yml")
        text, step = (
            rule_file(problem),
            "Name it under rule_files in prometheus.yml; check it: promtool check rules FILE",
        )
    else:
        path = to or Path(f"{problem.name}.grafana.json")
        text = json.dumps(board(problem), indent=1, ensure_ascii=False) + "\n"
        step = "Import it in Grafana, and choose the data source; it needs the rules of: modelyard export prometheus"
    write_atomic(path, text)
    view = stack(headline(f"Written for {form.capitalize()}."), link("file", path), hint(step))
    return Answer({"path": str(path), "form": form}, view)


def write_figures(session: Session, report: "MonitorReport", path: Path) -> None:
    """The figures of a run for Prometheus' textfile collector; the file is replaced as a whole."""
    from modelyard.core import system_clock, write_atomic
    from modelyard.monitoring.exporting import monitoring_text

    desk = session.project.alerts
    text = monitoring_text(report, desk.open(), waiting=len(desk.waiting()), at=system_clock())
    write_atomic(path, text)
