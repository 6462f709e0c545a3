"""The last steps of every package: its files, what it needs, and the proofs without which nothing is published.

Takes: a folder that is being built, and what was measured of it.
Gives: the sealed manifest, or a refusal.
Never: knows what kind of model is in the folder.
"""

from modelyard.packaging.finishing.files import seal, size_mb, write_json
from modelyard.packaging.finishing.needs import requirements_of, types_of
from modelyard.packaging.finishing.proofs import require_limits, require_parity

__all__ = ["require_limits", "require_parity", "requirements_of", "seal", "size_mb", "types_of", "write_json"]
