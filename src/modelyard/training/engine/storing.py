"""The run's record and contents, put together and stored."""

from collections.abc import Mapping

from modelyard.core import new_id, system_clock
from modelyard.data import Split
from modelyard.features.selection import Selection, selection_report
from modelyard.store import Workspace
from modelyard.training.curves.validation import validation_curve
from modelyard.training.engine.conclusion import Conclusion
from modelyard.training.families.family import Family
from modelyard.training.model import FittedModel
from modelyard.training.planning import Clock
from modelyard.training.preparation import Setup, environment
from modelyard.training.records import TrainingRun
from modelyard.training.run import RunContents, StoredRun, store_run
from modelyard.training.search.cross_validation import CrossValidation

__all__ = ["store_conclusion"]


def store_conclusion(
    validation: CrossValidation,
    setup: Setup,
    split: Split,
    families: Mapping[str, Family],
    workspace: Workspace,
    conclusion: Conclusion,
    models: Mapping[str, FittedModel],
    clock: Clock,
) -> StoredRun:
    """Store everything."""
    choice, development, final = conclusion.choice, models["development"], models["final"]
    complete = [item.name for item in validation.candidates if item.is_complete]
    contents = RunContents(
        development,
        final,
        {name: validation.out_of_fold(name) for name in complete},
        setup.plan.fold_of_row(len(setup.truth)),
    )
    record = TrainingRun(
        id=new_id(),
        dataset_id=split.record.dataset_id,
        split_id=split.record.id,
        task=setup.problem.task,
        target=setup.problem.data.target,
        metric=setup.question.metric,
        candidates=tuple(validation.candidates),
        winner=choice.winner,
        why=conclusion.why,
        classes=setup.classes,
        columns=setup.columns,
        seed=setup.seed,
        folds=len(setup.plan.folds),
        environment=environment(),
        created_at=system_clock(),
        interrupted=not conclusion.end.finished,
        artefacts={},
        fold_strategy=setup.plan.strategy,
        plan=setup.question.digest,
        selection=selection_report(_selections(validation, families.get(final.family)), final.encoder.selection_),
        learning_curve=conclusion.curve,
        weights=conclusion.weights,
        validation_curve=validation_curve(
            validation.candidates, setup.question.metric, seed=setup.seed, learnt=conclusion.learnt
        ),
        corrected=choice.corrected,
        work=conclusion.plan,
        batches=tuple(validation.batches),
        truncated=conclusion.end.truncated,
        seconds=round(clock.spent_s, 1),
        repeats=conclusion.verdict.repeats,
        seeds=conclusion.verdict.seeds,
        by_fold=conclusion.verdict.by_fold,
        nested=conclusion.nested,
        fitted_share=conclusion.fitted_share,
        fits=conclusion.fits,
    )
    return store_run(record, contents, workspace)


def _selections(validation: CrossValidation, family: Family | None) -> tuple[Selection | None, ...]:
    """What the folds chose for the winner's family; the naive baseline's looks at no column."""
    return () if family is None else validation.selections(family.style)
