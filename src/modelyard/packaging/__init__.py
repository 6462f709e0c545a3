"""One folder that answers as training did.

Takes: a run's winner with its split, evaluation and problem (``modelyard.packaging.build``).
Gives: a package — manifest, scoring plan, native model files, contract, reference profile, golden rows, card, MLmodel
file — and the scorer that serves it.
Never: needs pickle, scikit-learn or pandas to score; publishes a package whose answers differ from training's.
"""

from modelyard.packaging.golden import GoldenRow, GoldenSet, Parity
from modelyard.packaging.manifest import MANIFEST_FILE, PROTOCOL, Manifest
from modelyard.packaging.package import Package, load_package
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.scorer import Scorer

__all__ = [
    "MANIFEST_FILE",
    "PROTOCOL",
    "GoldenRow",
    "GoldenSet",
    "Manifest",
    "Package",
    "Parity",
    "Scorer",
    "ScoringPlan",
    "load_package",
]
