"""What estimators compute of encoded rows, equal to the bit for one row and for many, in training and in serving.

- :mod:`.distances`: of rows from one another, kernels, and the density of a row's surroundings.
- :mod:`.memberships`: how far a row belongs to each of several groups.
- :mod:`.activations`: what the units of a network do with their sums.
"""

from modelyard.features.exact.activations import Activation, activated, smoothly_clipped
from modelyard.features.exact.distances import kernel_sums, local_outlier_factors, nearest_means, squared_distances
from modelyard.features.exact.memberships import mixture_memberships, spherical_memberships, turned

__all__ = [
    "Activation",
    "activated",
    "kernel_sums",
    "local_outlier_factors",
    "mixture_memberships",
    "nearest_means",
    "smoothly_clipped",
    "spherical_memberships",
    "squared_distances",
    "turned",
]
