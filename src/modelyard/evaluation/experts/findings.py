"""What a reader must not miss about experts: that they are better, that they disagree, or that hardly a row was joined."""

from collections.abc import Iterator

from modelyard.core import Finding, Severity
from modelyard.evaluation.experts.records import ExpertComparison, ExpertScore
from modelyard.evaluation.systems import WINNER
from modelyard.problem import metric_spec
from modelyard.report import format_number

__all__ = ["expert_findings"]

_FEW_ROWS = 30
_POOR_KAPPA = 0.4
"""Below, agreement is at best fair (Landis and Koch, 1977)."""


def expert_findings(found: ExpertComparison | None) -> Iterator[Finding]:
    """All findings about the comparison with experts; none if nobody was asked."""
    if found is None:
        return
    if found.joined < _FEW_ROWS:
        yield _hardly_joined(found)
    for score in found.scores[:1]:
        if score.verdict == "worse":
            yield Finding(
                "experts-are-better",
                Severity.WARNING,
                score.expert,
                f"On {score.rows:,} rows of {found.part}, {score.expert} reach {format_number(score.expert_figure)} and the "
                f"winner {format_number(score.winner_figure)} ({metric_spec(score.metric).title}){_in_money(score)}.",
                "People do better where they are asked; replacing them would cost quality.",
                "Use the model to sort or to support, not to decide; look at the rows that only the experts got right.",
                {"difference": score.difference, "low": score.low, "high": score.high, "rows": score.rows},
                "E10",
            )
    pairs = [item for item in found.agreements if item.second != WINNER and item.kappa is not None]
    poor = [item for item in pairs if (item.high if item.high is not None else 1.0) < _POOR_KAPPA]
    if poor:
        worst = min(poor, key=lambda item: item.kappa or 0.0)
        yield Finding(
            "experts-disagree",
            Severity.INFO,
            worst.first,
            f"{len(poor)} of {len(pairs)} pairs of experts hardly agree beyond chance; {worst.first} and {worst.second} have "
            f"a kappa of {worst.kappa:.2f} ({worst.low:.2f} to {worst.high:.2f}) over {worst.rows:,} rows.",
            "Where people who know the matter disagree, no single one of them is a measure for the model.",
            "Settle what the right answer is before comparing further.",
            {"kappa": worst.kappa, "rows": worst.rows},
            "E10",
        )


def _in_money(score: ExpertScore) -> str:
    if score.gain is None:
        return ""
    low, high = format_number(score.gain_low), format_number(score.gain_high)
    return (
        f"; the winner's decisions are worth {format_number(score.gain)} {score.currency} a case more ({low} to {high})"
    )


def _hardly_joined(found: ExpertComparison) -> Finding:
    return Finding(
        "few-expert-answers",
        Severity.INFO,
        found.source,
        f"Of {found.answered:,} rows that experts answered, {found.joined:,} are among the judged rows ({found.part}).",
        "From so few rows hardly anything can be told.",
        "Let experts answer rows of the part that is judged; sealed rows are joined only when --open-test opens them.",
        {"answered": found.answered, "joined": found.joined},
        "E10",
    )
