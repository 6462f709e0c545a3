"""Views of alerts, reviews and replays."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from modelyard.cli.show.blocks import counted, facts, headline, hint, link, number, plain_table, stack
from modelyard.governance import Alert
from modelyard.governance.alert_log import AlertChange, AlertMessage, Silence, fold
from modelyard.monitoring.reviews import Review
from modelyard.retraining.replay import PolicyResult, Replay

__all__ = ["show_alert", "show_alerts", "show_history", "show_replay", "show_review", "show_silence"]

_ID_LETTERS = 8
_MOST_CHANGES = 40


def show_alerts(
    alerts: Sequence[Alert], silences: Sequence[Silence], waiting: Sequence[AlertMessage]
) -> RenderableType:
    """What is open, what is silenced, and what waits for a sink."""
    if not alerts:
        line: RenderableType = Text("No alert is open.", style="green")
    else:
        rows = (
            (one.id[-_ID_LETTERS:], one.severity.value, one.key, one.title, _since(one), one.taken_by or "nobody yet")
            for one in alerts
        )
        line = plain_table(("id", "severity", "key", "what", "since", "taken by"), rows)
    free = next((one for one in alerts if not one.taken_by), None)
    return stack(
        line,
        facts((f"silent: {one.pattern}", f"until {one.until:%Y-%m-%d %H:%M}, {one.reason}") for one in silences)
        if silences
        else None,
        hint(f"modelyard monitor   tries {counted(len(waiting), 'message')} again") if waiting else None,
        hint(f"modelyard alerts --ack {free.id[-_ID_LETTERS:]}") if free else None,
    )


def show_alert(alert: Alert, done: str) -> RenderableType:
    """One alert after somebody did something with it."""
    return stack(
        headline(f"{done} {alert.title}", alert.key),
        facts((("phase", alert.phase.value), ("message", alert.message), ("action", alert.action))),
    )


def show_silence(silence: Silence) -> RenderableType:
    """Until when nobody is told of what."""
    return headline(f"Nobody is told of {silence.pattern} until {silence.until:%Y-%m-%d %H:%M} UTC.", silence.reason)


def show_history(found: Sequence[tuple[Alert, Sequence[AlertChange]]]) -> RenderableType:
    """Every alert with what happened to it, the newest last."""
    if not found:
        return Text("There never was an alert.", style="green")
    rows = [
        (
            f"{change.at:%Y-%m-%d %H:%M}",
            alert.id[-_ID_LETTERS:],
            alert.key,
            _happened(change),
            change.actor,
            change.reason,
        )
        for alert, changes in found
        for change in changes
    ]
    ended = sum(fold(alert, changes).phase.is_over for alert, changes in found)
    return stack(
        headline(f"{counted(len(found), 'alert')}, {ended} of them over."),
        plain_table(("when", "id", "key", "what", "who", "why"), rows[-_MOST_CHANGES:]),
        hint(f"--json has all {len(rows)} changes") if len(rows) > _MOST_CHANGES else None,
    )


def show_review(review: Review, page: Path) -> RenderableType:
    """The figures of the time, what to do next, and the page."""
    tally = review.tally
    use = "–" if tally.precision is None else f"{tally.precision:.0%} of those rated were of use"
    return stack(
        headline(
            f"Review of {review.model}: {review.since:%Y-%m-%d} to {review.until:%Y-%m-%d}.",
            counted(sum(one.rows for one in review.traffic), "prediction"),
        ),
        facts(
            (
                ("verdict now", review.verdict.value),
                ("alerts", f"{tally.opened} opened, {tally.still_open} open; {use}"),
                ("incidents", str(len(review.incidents))),
                ("events", str(len(review.events))),
            )
        ),
        *(hint(step.replace("`", "")) for step in review.steps),
        link("page", page),
    )


def _happened(change: AlertChange) -> str:
    """A change in a few words."""
    kept = change.details
    if "news" in kept:
        return f"told: {kept['news']} ({', '.join(kept['sinks']) or 'no sink wants it'})"
    if "useful" in kept:
        return "of use" if kept["useful"] else "of no use"
    return f"{change.change.value}: {change.severity.value}"


def _since(alert: Alert) -> str:
    return f"{alert.opened_at:%Y-%m-%d %H:%M}" if alert.opened_at else "–"


def show_replay(replay: Replay, page: Path) -> RenderableType:
    """Which policy pays, and what each earned."""
    heads = ["policy", replay.metric, "over never", "95% interval", "retrained", "took over"]
    rows = [_replayed(result) for result in replay.results]
    if replay.currency:
        heads.append(f"{replay.currency} over never")
        for row, result in zip(rows, replay.results, strict=True):
            row.append("–" if result.money_gain is None else f"{result.money_gain.value:+,.0f}")
    span = f"{replay.since:%Y-%m-%d} to {replay.until:%Y-%m-%d}, {counted(replay.rows, 'row')}"
    return stack(
        headline(f"Replay: {replay.recommended}.", span),
        Text(replay.recommendation),
        plain_table(heads, rows, numeric=tuple(range(1, len(heads)))),
        facts((("model", f"{replay.family}, {replay.configuration}"), ("first rows", f"{replay.rows_first:,}"))),
        link("report", page),
    )


def _replayed(result: PolicyResult) -> list[str]:
    """One policy's figures; the page has more."""
    gain = result.gain
    sure = ("–", "–") if gain is None else (f"{gain.value:+.4f}", f"{gain.low:+.4f} to {gain.high:+.4f}")
    return [result.policy.name, number(result.value), *sure, str(result.retrainings), str(result.promotions)]
