"""Predictors: fitted models in native formats, scored without scikit-learn, pandas or pickle.

Takes: coefficients, a booster's own file, or the arrays of a forest, of neighbours, a kernel or a network; or several.
Gives: outputs of one row or of a matrix of encoded features, equal to those of the training pipeline.
Never: imports the library that trained the model.
"""

from collections.abc import Mapping

from modelyard.core import IntegrityError
from modelyard.packaging.predictors.blending import BlendPart, BlendPredictor, kinds_of
from modelyard.packaging.predictors.constant import ConstantPredictor
from modelyard.packaging.predictors.forest import ForestArrays, ForestPredictor, flatten_trees
from modelyard.packaging.predictors.gaussian import GaussianPredictor
from modelyard.packaging.predictors.kernel import KernelPredictor
from modelyard.packaging.predictors.lightgbm import LightGBMPredictor
from modelyard.packaging.predictors.linear import LinearPredictor, Link
from modelyard.packaging.predictors.neighbours import NeighboursPredictor
from modelyard.packaging.predictors.network import NetworkPredictor
from modelyard.packaging.predictors.opaque import SkopsPredictor, SkopsTrust, declare_trust, operators_trust
from modelyard.packaging.predictors.predictor import DOUBLE_TOLERANCE, SINGLE_TOLERANCE, Predictor
from modelyard.packaging.predictors.tables import AdditivePredictor, ObliviousPredictor
from modelyard.packaging.predictors.unlabelled import AnomalyPredictor, ClusterPredictor
from modelyard.packaging.predictors.xgboost import XGBoostPredictor

__all__ = [
    "DOUBLE_TOLERANCE",
    "SINGLE_TOLERANCE",
    "AdditivePredictor",
    "AnomalyPredictor",
    "BlendPart",
    "BlendPredictor",
    "ClusterPredictor",
    "ConstantPredictor",
    "ForestArrays",
    "ForestPredictor",
    "GaussianPredictor",
    "KernelPredictor",
    "LightGBMPredictor",
    "LinearPredictor",
    "Link",
    "NeighboursPredictor",
    "NetworkPredictor",
    "ObliviousPredictor",
    "Predictor",
    "SkopsPredictor",
    "SkopsTrust",
    "XGBoostPredictor",
    "declare_trust",
    "flatten_trees",
    "kinds_of",
    "load_predictor",
    "operators_trust",
]

_KINDS: dict[str, type[Predictor]] = {
    predictor.kind: predictor
    for predictor in (
        ConstantPredictor,
        LinearPredictor,
        LightGBMPredictor,
        XGBoostPredictor,
        ForestPredictor,
        NeighboursPredictor,
        GaussianPredictor,
        KernelPredictor,
        NetworkPredictor,
        ObliviousPredictor,
        AdditivePredictor,
        AnomalyPredictor,
        ClusterPredictor,
        BlendPredictor,
        SkopsPredictor,
    )
}


def load_predictor(kind: str, files: Mapping[str, bytes], trust: SkopsTrust | None = None) -> Predictor:
    """The predictor of a scoring plan from its files.

    Parameters
    ----------
    kind
        As the plan names it.
    files
        Name to content.
    trust
        The operator's yes to files of skops; without it a predictor of that kind is refused.

    Raises
    ------
    IntegrityError
        If the kind is unknown, or a file is missing or damaged.
    GateRefusedError
        If it is an estimator kept by skops, and the operator has not allowed it.
    """
    if kind not in _KINDS:
        raise IntegrityError(
            "unknown kind of predictor",
            where="plan.json",
            got=repr(kind),
            cure=f"Upgrade modelyard; this version knows {', '.join(_KINDS)}",
        )
    if kind == SkopsPredictor.kind:
        return SkopsPredictor.from_files(files, trust)
    if kind == BlendPredictor.kind:
        return BlendPredictor.from_files(files, trust)
    return _KINDS[kind].from_files(files)
