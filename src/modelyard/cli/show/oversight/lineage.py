"""Views of a version's lineage, of a traced prediction, and of events that were told."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from modelyard.cli.show.blocks import counted, facts, headline, link, number, plain_table, stack
from modelyard.oversight.lineage.openlineage import Sent
from modelyard.oversight.lineage.page import short
from modelyard.oversight.lineage.records import Link, LoggedAnswer, PredictionTrace, VersionLineage

__all__ = ["show_lineage", "show_sent", "show_trace"]

_MOST = 20


def show_lineage(found: VersionLineage, out: Path | None = None) -> RenderableType:
    """Whence above, whereto below, and in the middle who approved it."""
    traffic = found.traffic
    asked = "" if traffic.since is None else f", {traffic.since:%Y-%m-%d} to {traffic.until:%Y-%m-%d}"
    rest = len(found.became) - _MOST
    return stack(
        headline(f"{found.subject}, {found.stage}", f"package {found.digest[:12]}"),
        _bytes(found),
        Text("made from", style="bold"),
        _table(found.made_from),
        facts(
            (
                ("commit", found.code_commit[:12] or "none: the project was not under version control"),
                (
                    "computed with",
                    ", ".join(f"{name} {said}" for name, said in sorted(found.environment.items())) or "–",
                ),
                *_approvals(found),
            )
        ),
        Text("what became of it", style="bold") if found.became else None,
        _table(found.became[-_MOST:]) if found.became else None,
        Text(f"and {rest} earlier steps with --json or --out", style="dim") if rest > 0 else None,
        facts(
            (
                ("answers", f"{traffic.answers:,}, and {traffic.labels:,} labels came back{asked}"),
                ("successors", ", ".join(found.successors) or "none"),
            )
        ),
        link("page", out) if out is not None else None,
    )


def show_trace(found: PredictionTrace) -> RenderableType:
    """What was answered first, then why, then by what."""
    answer, lineage = found.answer, found.lineage
    return stack(
        headline(f"{found.id} was answered {answer.answer or number(answer.score)}.", f"by version {answer.version}"),
        facts(
            (
                ("at", f"{answer.at:%Y-%m-%d %H:%M:%S} UTC, as {answer.role}"),
                ("score", number(answer.score)),
                ("flags", "; ".join(answer.flags) or "none"),
                ("label", found.label or "none has come"),
                ("again", _again(found)),
                *((f"beside, {item.version}", _said(item)) for item in found.shadows),
            )
        ),
        _reasons(found),
        show_lineage(lineage) if lineage else Text(f"{found.unregistered}.", style="yellow"),
    )


def show_sent(sent: Sequence[Sent]) -> RenderableType:
    """Where the events went."""
    return stack(*(headline(f"{counted(item.events, 'event')} told.", item.to) for item in sent))


def _again(found: PredictionTrace) -> str:
    if found.reproduced is None:
        return found.unexplained
    return "the package gives the same score now" if found.reproduced else "the package gives ANOTHER score now"


def _said(item: LoggedAnswer) -> str:
    return f"{item.answer or '–'} ({number(item.score)}), in shadow"


def _reasons(found: PredictionTrace) -> RenderableType | None:
    if not found.reasons:
        return None
    features = found.answer.features
    rows = ((name, str(features.get(name)), f"{amount:+.4f}") for name, amount in found.reasons)
    return plain_table(("why", "value", "adds"), rows, numeric=(2,))


def _bytes(found: VersionLineage) -> Text:
    if found.intact:
        return Text(f"! {found.intact}", style="bold red")
    return Text("The package's bytes are those that were registered.", style="green")


def _table(links: Sequence[Link]) -> RenderableType:
    return plain_table(
        ("step", "gave", "which", "what is known", "at", "who"),
        (
            (
                item.job,
                str(item.thing.kind) if item.thing else "–",
                short(item.thing.id) if item.thing else "–",
                f"FAILED: {item.failed}" if item.failed else item.says,
                f"{item.at:%Y-%m-%d %H:%M}",
                item.by or "–",
            )
            for item in links
        ),
    )


def _approvals(found: VersionLineage) -> list[tuple[str, str]]:
    if not found.approvals:
        return [("approved by", "nobody yet")]
    return [
        (
            "approved by",
            f"{item.approval.approver}, {item.approval.at:%Y-%m-%d}: {item.approval.reason}"
            + (" (in force)" if item.in_force else f" (does not count: {item.void})"),
        )
        for item in found.approvals
    ]
