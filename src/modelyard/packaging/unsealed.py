"""A scorer straight from a training run: for scores to a file, before anything is evaluated, packaged or approved."""

from modelyard.data import ReferenceProfile, Split, assign_roles, derive_contract
from modelyard.packaging.compile import compile_model
from modelyard.packaging.finishing import Origin, open_manifest
from modelyard.packaging.golden import require_native
from modelyard.packaging.golden_rows import make_golden_set
from modelyard.packaging.scorer import Scorer
from modelyard.problem import Problem
from modelyard.training.run import StoredRun

__all__ = ["unsealed_scorer"]


def unsealed_scorer(run: StoredRun, split: Split, problem: Problem) -> Scorer:
    """The run's final model as a scorer that is in no package: no digest names it, and nobody has approved it.

    It answers as the package of this run would, but for the threshold, which only an evaluation chooses: two classes
    are divided at 0.5.

    Raises
    ------
    StateError
        If the estimator has no native form.
    GateRefusedError
        If the scorer does not answer as the trained model does.
    """
    model, record = run.model("final"), run.record
    plan, predictor = compile_model(model, None)
    contract = derive_contract(split.development, assign_roles(problem, split.train.schema), problem.data)
    rows = split.validation.frame if split.validation.frame.height else split.train.frame
    golden = make_golden_set(
        model, rows, record.columns, contract, tolerance=predictor.tolerance, seed=problem.training.seed
    )
    origin = Origin(record.dataset_id, record.split_id, record.id)
    scorer = Scorer(
        open_manifest(problem, f"run {record.id}", origin, record.created_at),
        plan,
        predictor,
        contract=contract,
        profile=ReferenceProfile(0, ()),
        golden=golden,
        own=model.encoder.own,
    )
    require_native(scorer.verify_golden(), "Choose another family as winner")
    return scorer
