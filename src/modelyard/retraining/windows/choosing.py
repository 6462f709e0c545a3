"""Which window: what the project file says, or what a backtest over the known rows shows."""

import time
from collections.abc import Sequence
from pathlib import Path

from modelyard.core import Progress, ProgressEvent, silent
from modelyard.data import Split
from modelyard.problem import Problem, metric_spec
from modelyard.report import format_number
from modelyard.retraining.windows.backtest import FEWEST_BLOCKS, KnownRows, backtest, blocks_of
from modelyard.retraining.windows.recipe import Recipe, configuration
from modelyard.retraining.windows.records import WindowChoice, WindowKind, WindowPolicy, WindowTrial
from modelyard.training.preparation import prepare
from modelyard.training.records import TrainingRun

__all__ = ["candidates", "choose_among", "choose_window", "simplest"]

_SLIDING_SHARES = (1 / 4, 1 / 10)
_HALF_LIFE_SHARES = (1 / 5, 1 / 20)
_FEWEST_ROWS = 100


def choose_window(
    split: Split,
    problem: Problem,
    champion: TrainingRun,
    folder: Path | None = None,
    *,
    progress: Progress = silent,
) -> WindowChoice:
    """The window that a challenger is to learn from.

    Parameters
    ----------
    split
        Only its training part is looked at.
    problem
        Resolved; ``retraining.window`` is its say.
    champion
        The run whose configuration is fitted on each window, without a search.
    folder
        The project's, in which features of the user's own may lie.

    Raises
    ------
    ConfigError
        If a window is declared and there is no time column, or it does not fit the column.
    """
    declared = WindowPolicy.declared(problem)
    if declared is not None:
        return WindowChoice(declared, f"The project file asks for {declared.words}.")
    column = problem.data.time
    if column is None or column not in split.train.frame.columns:
        return WindowChoice(WindowPolicy(), "All rows: without a time column there is no order to test windows in.")
    won = configuration(champion, problem)
    if won is None:
        return WindowChoice(WindowPolicy(), f"All rows: {champion.winner} is no model that windows can be tried with.")
    setup = prepare(split, problem, folder)
    recipe = Recipe(setup.learning, *won, setup.seed)
    rows = KnownRows.of(split.train.frame, setup.truth, column, problem.split.gap)
    return choose_among(rows, recipe, setup.problem, progress=progress)


def choose_among(rows: KnownRows, recipe: Recipe, problem: Problem, *, progress: Progress = silent) -> WindowChoice:
    """The simplest window within one standard error of the best, by a backtest over these rows."""
    start = time.perf_counter()
    blocks = blocks_of(rows)
    if len(blocks) < FEWEST_BLOCKS:
        return WindowChoice(WindowPolicy(), f"All rows: {len(rows.truth):,} are too few to test windows on.")
    policies = candidates(len(rows.truth), weighted=recipe.takes_weights and _may_weigh(problem))
    done: list[WindowPolicy] = []

    def told(policy: WindowPolicy) -> None:
        done.append(policy)
        progress(ProgressEvent("window", len(done), len(policies), policy.words))

    metric = problem.primary_metric
    trials = backtest(rows, blocks, policies, recipe, metric, told=told)
    if sum(len(trial.by_block) >= FEWEST_BLOCKS for trial in trials) < 2:
        return WindowChoice(
            WindowPolicy(), f"All rows: {metric_spec(metric).title} is not defined on enough blocks.", metric, trials
        )
    chosen = simplest(trials)
    spent = time.perf_counter() - start
    return WindowChoice(chosen.policy, _reason(chosen, trials, metric), metric, trials, recipe.candidate.family, spent)


def candidates(rows: int, *, weighted: bool) -> tuple[WindowPolicy, ...]:
    """The windows to try, simple ones first: shares of the rows that are known, so that they fit any table."""
    sliding = [WindowPolicy(WindowKind.SLIDING, rows=round(rows * share)) for share in _SLIDING_SHARES]
    fading = [WindowPolicy(WindowKind.WEIGHTED, rows=round(rows * share)) for share in _HALF_LIFE_SHARES]
    chosen = (*sliding, *(fading if weighted else ()))
    return (WindowPolicy(), *(policy for policy in chosen if policy.length >= _FEWEST_ROWS))


def simplest(trials: Sequence[WindowTrial]) -> WindowTrial:
    """Of the windows that lie within one standard error behind the best, the first; the order is that of simplicity."""
    scored = [trial for trial in trials if trial.behind is not None and trial.behind_error is not None]
    return next(trial for trial in scored if (trial.behind or 0.0) <= (trial.behind_error or 0.0))


def _may_weigh(problem: Problem) -> bool:
    """Rows that resampling makes have no weight of their own."""
    return problem.training.resampling in ("none", "auto", "weights")


def _reason(chosen: WindowTrial, trials: Sequence[WindowTrial], metric: str) -> str:
    """The choice in one sentence, with the figures of the chosen, of all rows and of the best."""
    title = metric_spec(metric).title
    best = next(trial for trial in trials if trial.behind == 0 and not trial.left_out)
    everything = trials[0]
    said = (
        f"{chosen.policy.words[0].upper()}{chosen.policy.words[1:]}: {title} {format_number(chosen.mean)} on "
        f"{len(chosen.by_block)} later blocks"
    )
    if chosen.policy != everything.policy and everything.mean is not None:
        said += f", all rows {format_number(everything.mean)}"
    if best.policy == chosen.policy:
        return f"{said}; the best."
    return (
        f"{said}; the best, {best.policy.words}, has {format_number(best.mean)}, which is within one standard error "
        f"({format_number(chosen.behind_error)})."
    )
