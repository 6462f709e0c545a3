"""How far the choice can be trusted: further divisions into folds, other seeds, outer parts of a nested search."""

import statistics

from modelyard.problem import metric_spec
from modelyard.report import Details, Table, format_number, format_range
from modelyard.training.nesting import NestedScore
from modelyard.training.records import TrainingRun
from modelyard.training.stability import Repeats, SeedSpread

__all__ = ["choice_blocks"]


def choice_blocks(run: TrainingRun) -> list[Details]:
    """What was asked of the choice, each folded under what was found."""
    blocks = []
    if run.repeats is not None and run.repeats.finalists:
        blocks.append(_repeats_block(run.repeats))
    if run.seeds is not None:
        blocks.append(_seeds_block(run.seeds))
    if run.nested is not None:
        blocks.append(_nested_block(run.nested, run))
    return blocks


def _repeats_block(found: Repeats) -> Details:
    """Each finalist's mean on each division."""
    divisions = tuple(f"division {number}" for number in range(1, found.divisions + 1))
    rows = tuple(
        (
            item.name,
            *(format_number(statistics.fmean(scores)) for scores in item.scores),
            format_number(item.mean),
            format_number(item.sd),
        )
        for item in found.finalists
    )
    caption = (
        f"{metric_spec(found.metric).title}, means over folds; the first division is that of all candidates. The last column is the "
        "standard deviation of the divisions' means: what the luck of one division moves."
    )
    columns = ("candidate", *divisions, "mean", "± sd")
    return Details(f"Repeated: {found.sentence}", (Table(columns, rows, caption, tuple(range(1, len(columns)))),))


def _seeds_block(found: SeedSpread) -> Details:
    """The winner's score on each fold with each seed."""
    folds = tuple(f"fold {number}" for number in range(1, len(found.scores[0]) + 1))
    rows = tuple(
        (f"seed {number}", *map(format_number, scores), format_number(statistics.fmean(scores)))
        for number, scores in enumerate(found.scores, 1)
    )
    caption = (
        f"{metric_spec(found.metric).title} of {found.winner}. From seed to seed a fold moves by {format_number(found.by_seed)}, from "
        f"fold to fold by {format_number(found.by_fold)} (standard deviations)."
    )
    columns = ("seed of fitting", *folds, "mean")
    return Details(f"Seeds: {found.sentence}", (Table(columns, rows, caption, tuple(range(1, len(columns)))),))


def _nested_block(found: NestedScore, run: TrainingRun) -> Details:
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
