"""A runbook as a page: what it means, what to look at, what to do, who answers, and by which thresholds it opened."""

from modelyard.packaging.runbooks.guidance import GUIDANCE
from modelyard.problem import Problem
from modelyard.problem.sections import AlertRule
from modelyard.problem.sections.alerts import ALERT_KINDS
from modelyard.report import Page, Prose, Section, Table, format_percent, render_markdown

__all__ = ["runbook_files", "runbook_name", "runbook_text"]


def runbook_name(kind: str) -> str:
    """Where the page of a kind lies within a package.

    >>> runbook_name("no_data")
    'runbooks/no_data.md'
    """
    return f"runbooks/{kind}.md"


def runbook_files(problem: Problem) -> dict[str, str]:
    """All pages of a model: name within the package to text."""
    return {runbook_name(kind): runbook_text(kind, problem) for kind in ALERT_KINDS}


def runbook_text(kind: str, problem: Problem) -> str:
    """The page of one kind, in Markdown."""
    guidance, rule = GUIDANCE[kind], problem.alerts.rules[kind]
    sections = (
        Section("What it means", (Prose(guidance.meaning),)),
        Section("Look first", (Prose(_numbered(guidance.first)),)),
        Section("Usual causes", (Prose(_listed(guidance.causes)),)),
        Section("What to do", (Prose(_listed(guidance.cures)),)),
        Section("Who answers for it", (_people(rule, problem),)),
        Section("When it opens and when it ends", (_thresholds(rule, problem), Prose(_ending(rule)))),
        Section("Commands", (_commands(problem),)),
    )
    return render_markdown(
        Page(f"Runbook: {guidance.title}", f"model {problem.name}, alerts of the kind {kind}", sections)
    )


def _numbered(steps: tuple[str, ...]) -> str:
    """Steps in order; the page's lists have no numbers of their own."""
    return "\n".join(f"- **{number}.** {step}" for number, step in enumerate(steps, start=1))


def _listed(items: tuple[str, ...]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _people(rule: AlertRule, problem: Problem) -> Table:
    rows = (
        ("Owner", rule.owner or problem.owner or "not provided: fill in `owner` in the project file"),
        ("Contact", problem.contact or "not provided"),
        ("Next, if nobody takes it", ", ".join(problem.escalation) or "not provided"),
    )
    return Table(("Role", "Person"), rows)


def _thresholds(rule: AlertRule, problem: Problem) -> Table:
    watched = problem.monitoring
    rows = (
        ("Severity from which a finding opens an alert", rule.severity),
        ("Windows in a row", str(rule.persistence)),
        ("Length of a window, and rows it needs", f"{watched.window}, {watched.min_rows}"),
        ("Chance of a false drift alarm per window", format_percent(watched.false_alarm_rate)),
        ("Population stability index that is harmless", f"{watched.tolerance:g}"),
        ("Tolerated loss of the primary metric", format_percent(watched.performance_drop)),
        ("Cooldown between two messages", rule.cooldown),
        ("Escalated, if nobody takes it, after", rule.escalate_after or "never"),
    )
    return Table(("Threshold", "Value"), rows)


def _ending(rule: AlertRule) -> str:
    """When the alert is over."""
    if rule.severity == "off":
        return "This kind is switched off: none opens."
    return "It ends by itself when a judged window no longer shows it. What could not be judged ends nothing."


def _commands(problem: Problem) -> Table:
    folder = f"-p PATH/TO/{problem.name}"
    rows = (
        ("See what is open", f"modelyard alerts {folder}"),
        ("Take it", f"modelyard alerts --ack ID {folder}"),
        ("Say nothing of it for a week", f'modelyard alerts --silence KEY --for 7d --reason "..." {folder}'),
        ("Say afterwards whether it was of use", f"modelyard alerts --useful ID {folder}, or ID:no"),
        ("Judge again", f"modelyard monitor {folder}"),
        ("Go back to the version before", f'modelyard rollback --reason "..." {folder}'),
    )
    return Table(("What", "Command"), rows)
