"""Verification: whether a package is what was built, answers as it did, and describes itself truly.

Takes: a folder, and the digest that it should have, if somebody knows it.
Gives: one check for each thing that can be wrong, with everything that is wrong with it.
Never: changes the folder, or stops at the first fault; a model whose bytes are not those that were packaged is not run.
"""

from modelyard.packaging.verification.records import Check, Outcome, Verification
from modelyard.packaging.verification.verify import verify_package

__all__ = ["Check", "Outcome", "Verification", "verify_package"]
