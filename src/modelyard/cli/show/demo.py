"""The demo's stage in the terminal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from modelyard.audit import AuditReport
from modelyard.cli.progress import console, terminal_progress
from modelyard.cli.show.accounts import show_status
from modelyard.cli.show.blocks import facts, headline, link, stack
from modelyard.cli.show.modelling import show_audit, show_evaluation, show_training
from modelyard.cli.show.operations import show_decision, show_monitoring
from modelyard.cli.show.packages import show_package
from modelyard.cli.show.problem import show_check
from modelyard.cli.show.release import show_deployment, show_version
from modelyard.cli.store.views import show_verification
from modelyard.core import silent
from modelyard.demo import DemoOutcome
from modelyard.evaluation import Evaluation
from modelyard.governance import Deployment, ModelVersion
from modelyard.monitoring import MonitorReport
from modelyard.packaging import Package
from modelyard.problem import metric_spec
from modelyard.retraining import Decision
from modelyard.status import CheckReport, Status
from modelyard.store import Verification
from modelyard.training import TrainingRun

__all__ = ["TerminalStage", "show_curtain"]

_PLAIN: dict[type, Callable[[Any], RenderableType]] = {
    CheckReport: show_check,
    TrainingRun: show_training,
    Package: show_package,
    ModelVersion: lambda version: show_version(version, version.stage.value),
    Deployment: show_deployment,
    Decision: show_decision,
    Verification: show_verification,
    Status: show_status,
}
_WITH_PAGE: dict[type, Callable[[Any, Path], RenderableType]] = {
    AuditReport: show_audit,
    Evaluation: show_evaluation,
    MonitorReport: show_monitoring,
}


class TerminalStage:
    """Shows the story as it is played; with ``--json`` it shows nothing.

    Parameters
    ----------
    quiet
        True if the answer goes to a program.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._scenes = 0
        self.progress = silent if quiet else terminal_progress()

    def scene(self, title: str, why: str) -> None:
        """A rule with the scene's number and title, and why it is played."""
        self._scenes += 1
        self._print(Text(""), Rule(Text(f" {self._scenes}  {title} ", style="bold"), style="green", align="left"))
        self._print(Text(why, style="dim italic"), Text(""))

    def tell(self, text: str) -> None:
        """A sentence."""
        self._print(Text(text))

    def show(self, record: Any, page: Path | None = None) -> None:
        """The same view that the command has."""
        kind = type(record)
        view = _WITH_PAGE[kind](record, page) if page is not None else _PLAIN[kind](record)
        self._print(Padding(view, (0, 0, 1, 2)))

    def _print(self, *views: RenderableType) -> None:
        if not self._quiet:
            for view in views:
                console().print(view)


def show_curtain(outcome: DemoOutcome) -> RenderableType:
    """Where everything is, at the end of the demo."""
    spec = metric_spec(outcome.metric)
    score = f"{spec.title} {outcome.test_score:.4f} on sealed rows" if outcome.test_score is not None else "–"
    challenger = f"version {outcome.challenger} waits for approval" if outcome.challenger else "the champion stays"
    return stack(
        Rule(style="green"),
        headline("The life of a model, played.", f"{outcome.seconds:.0f} s"),
        facts(
            (
                ("model", score),
                ("worth", outcome.money),
                ("service", f"{outcome.latency_p50_ms:.2f} ms median, {outcome.latency_p99_ms:.2f} ms p99, over HTTP"),
                ("quiet month", outcome.quiet_verdict),
                ("after the launch", outcome.launch_verdict),
                ("challenger", challenger),
            )
        ),
        stack(
            link("report", Path(outcome.report)),
            link("card", Path(outcome.card)),
            link("monitoring", Path(outcome.monitoring)),
            link("project", Path(outcome.project)),
        ),
        facts(
            (
                ("API", f"modelyard serve -p {outcome.project} --env demo   then http://127.0.0.1:8080/docs"),
                ("dashboard", "comes with a later release; until then: the monitoring page above, and GET /metrics"),
            )
        ),
    )
