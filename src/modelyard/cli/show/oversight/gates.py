"""Views of gates, validations and reviews."""

from rich.console import RenderableType
from rich.text import Text

from modelyard.cli.show.blocks import facts, headline, hint, plain_table, stack
from modelyard.governance import BrokenGlass, GateDecision, Validation

__all__ = ["show_decision", "show_review", "show_validation"]


def show_decision(decision: GateDecision) -> RenderableType:
    """Each gate with its question and answer, and the first thing to do."""
    table = plain_table(
        ("", "gate", "wanted", "got"),
        (("yes" if gate.passed else "NO", gate.gate, gate.wanted, gate.got) for gate in decision.gates),
    )
    said = "Every gate says yes" if decision.passed else f"{len(decision.failed)} of {len(decision.gates)} gates say no"
    looser = f"The project file asks for less than tier {decision.tier}: {', '.join(decision.looser)}."
    return stack(
        headline(f"{said} to {decision.subject}.", f"tier {decision.tier}"),
        table,
        Text(looser, style="yellow") if decision.looser else None,
        hint(decision.failed[0].cure) if decision.failed else None,
    )


def show_validation(found: Validation) -> RenderableType:
    """What a validator said."""
    said = "holds" if found.holds else "does not hold"
    return stack(
        headline(f"Version {found.version} of {found.name} {said}.", found.validator),
        facts((("reason", found.reason), ("digest", found.digest[:12]))),
        hint("modelyard gates"),
    )


def show_review(found: BrokenGlass) -> RenderableType:
    """What was reviewed, and by whom."""
    return stack(
        headline(f"The promotion of {found.subject} past the gates is reviewed.", found.reviewed_by or ""),
        facts(
            (
                ("broken by", found.by),
                ("why", found.reason),
                ("skipped", ", ".join(found.skipped)),
                ("review", found.review or ""),
            )
        ),
    )
