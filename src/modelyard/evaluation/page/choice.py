"""How far the choice can be trusted: outer parts of a nested search."""

from modelyard.problem import metric_spec
from modelyard.report import Details, Table, format_number, format_range
from modelyard.training.nesting import NestedScore
from modelyard.training.records import TrainingRun

__all__ = ["nested_block"]


def nested_block(found: NestedScore, run: TrainingRun) -> Details:
    """Each outer part with its winner, and the mean beside what the folds and their correction say; folded."""
    title = metric_spec(found.metric).title
    parts = tuple(
        (
            f"outer part {number}",
            part.winner or part.error,
            f"{part.learnt:,}",
            f"{part.held:,}",
            format_number(part.claimed),
            format_number(part.score),
        )
        for number, part in enumerate(found.parts, 1)
    )
    columns = ("rows", "winner there", "learnt from", "held out", f"{title} on its folds", f"{title} outside")
    return Details(f"Nested: {found.sentence}", (Table(columns, parts, _beside(found, run), (2, 3, 4, 5)),))


def _beside(found: NestedScore, run: TrainingRun) -> str:
    """The three figures that speak of one thing, side by side."""
    winner = next((item for item in run.candidates if item.name == run.winner), None)
    said = [f"The winner's mean over folds is {format_number(winner.mean if winner else None)}"]
    if run.corrected is not None:
        ends = format_range(run.corrected.low, run.corrected.high)
        said.append(f"corrected for having been picked {format_number(run.corrected.estimate)} ({ends})")
    if found.mean is not None and found.low is not None and found.high is not None:
        said.append(f"nested {format_number(found.mean)} ({format_range(found.low, found.high)})")
    return (
        f"{'; '.join(said)}. The nested figure judges the search, whose winners learn from fewer rows than this one; its "
        "interval is the corrected t of Nadeau and Bengio (2003)."
    )
