"""Networks of dense layers, each kind a family.

- :mod:`.mlp`: two rectified layers, with scikit-learn.
- :mod:`.realmlp`: RealMLP, whose tricks make a network a match for boosting; :mod:`.learning` is how it learns.
- :mod:`.estimator`: what both leave behind.
"""

from modelyard.training.families.networks.estimator import NetworkEstimator
from modelyard.training.families.networks.mlp import MultilayerPerceptron
from modelyard.training.families.networks.realmlp import RealMLP

__all__ = ["MultilayerPerceptron", "NetworkEstimator", "RealMLP"]
