"""What a package needs to be installed where it answers."""

import importlib.metadata

from modelyard.features import SentenceEncoding
from modelyard.features.sentences import DISTRIBUTION
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.predictors import BlendPredictor, Predictor, SkopsPredictor, kinds_of

__all__ = ["requirements_of", "types_of"]

_LIBRARIES = {"lightgbm": ("lightgbm",), "xgboost": ("xgboost", "lightgbm"), "forest": ("lightgbm",)}
"""By kind of predictor what its files are read with; single rows of any trees are walked in LightGBM's library."""


def requirements_of(plan: ScoringPlan, predictor: Predictor) -> dict[str, str]:
    """Distributions that scoring imports, with the versions at hand."""
    kinds = kinds_of(predictor)
    modules = ["modelyard", "numpy", "polars", *(module for kind in kinds for module in _LIBRARIES.get(kind, ()))]
    owners = importlib.metadata.packages_distributions()
    if SkopsPredictor.kind in kinds:
        # A module of one's own may lie beside the project, in no distribution.
        own = (name.partition(".")[0] for name in types_of(predictor))
        modules += ["skops", "sklearn", *(module for module in own if module in owners)]
    names = list(dict.fromkeys(owners.get(module, [module])[0] for module in modules))
    if any(isinstance(encoding, SentenceEncoding) for encoding in plan.encodings):
        names += ["scipy", DISTRIBUTION]
    return {name: importlib.metadata.version(name) for name in names}


def types_of(predictor: Predictor) -> tuple[str, ...]:
    """What an operator must allow before the predictor can be read."""
    return predictor.types if isinstance(predictor, BlendPredictor | SkopsPredictor) else ()
