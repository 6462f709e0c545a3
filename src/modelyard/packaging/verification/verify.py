"""The checks of a package, one after the other: bytes first, and the model only if they are right."""

from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from modelyard.core import GateRefusedError, ModelyardError
from modelyard.packaging.courses.horizon import is_forecast
from modelyard.packaging.manifest import Manifest
from modelyard.packaging.package import Package, differences, read_manifest
from modelyard.packaging.scorer import Scorer
from modelyard.packaging.verification.card import check_card
from modelyard.packaging.verification.forecasts import check_history_signature, forecast_parity
from modelyard.packaging.verification.mlmodel import check_mlmodel
from modelyard.packaging.verification.records import Check, Outcome, Verification
from modelyard.packaging.verification.signature import check_signature

__all__ = ["verify_package"]


def verify_package(folder: Path | str, *, digest: str | None = None) -> Verification:
    """Everything about a package that can be checked where it lies.

    The digest names the whole package, but whoever changes every file can compute another: only a digest that is known
    from elsewhere, such as the registry, tells such a package from the real one.

    Parameters
    ----------
    folder
        The package.
    digest
        What it should be, or how that begins (eight digits at least).

    Raises
    ------
    IntegrityError
        If there is no manifest that this version could read; of all else the verification tells.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    checks = [_files(folder, manifest), _digest(manifest, digest)]
    intact = all(check.outcome is Outcome.PASSED for check in checks)
    for name, look in _CHECKS.items():
        checks.append(_looked_at(name, look, Package(folder, manifest)) if intact else _skipped(name, _CHANGED))
    return Verification(str(folder), manifest.name, manifest.version, manifest.protocol, manifest.digest, tuple(checks))


def _files(folder: Path, manifest: Manifest) -> Check:
    """Every file against its digest, and no file too many."""
    wrong = tuple(differences(folder, manifest))
    return Check.of("files", f"{len(manifest.files)} files are those that were packaged", wrong)


def _digest(manifest: Manifest, wanted: str | None) -> Check:
    """The manifest against its own digest, and that against the one that is asked for."""
    wrong = []
    if manifest.digest != manifest.expected_digest():
        wrong.append("manifest.json is not what was packaged: its content has another digest than it says")
    if wanted is not None and (len(wanted) < _LEAST_DIGITS or not manifest.digest.startswith(wanted.lower())):
        wrong.append(f"the package says {manifest.digest}, where {wanted} was asked for")
    known = "as asked for" if wanted else "by its own account; --digest holds it against one from elsewhere"
    return Check.of("digest", f"{manifest.digest[:12]}, {known}", tuple(wrong))


def _parity(package: Package) -> Check:
    """The golden rows, scored on this machine."""
    parity = forecast_parity(package) if is_forecast(package) else Scorer.load(package).verify_golden()
    said = f"largest difference {parity.max_abs_difference:.1e} on {parity.rows} golden rows"
    wrong = () if parity.ok else (f"{said}, where {parity.tolerance:g} is allowed",)
    return Check.of("parity", said, wrong)


def _signature(package: Package) -> Check:
    """The columns that the package's files name."""
    return check_history_signature(package) if is_forecast(package) else check_signature(package)


def _looked_at(name: str, look: Callable[[Package], Check], package: Package) -> Check:
    """The check's own answer; what cannot even be read has failed it."""
    try:
        return look(package)
    except GateRefusedError as error:
        return _skipped(name, error.sentence)
    except ModelyardError as error:
        return Check(name, Outcome.FAILED, "could not be looked at", (error.sentence,))
    except (LookupError, TypeError, ValueError, AttributeError, yaml.YAMLError) as error:
        return Check(
            name, Outcome.FAILED, "could not be looked at", (f"{type(error).__name__}: {' '.join(str(error).split())}",)
        )


def _skipped(name: str, why: str) -> Check:
    return Check(name, Outcome.SKIPPED, "not looked at", (why,))


_CHANGED = "the bytes are not those that were packaged"
_LEAST_DIGITS = 8

_CHECKS: Mapping[str, Callable[[Package], Check]] = {
    "parity": _parity,
    "signature": _signature,
    "mlmodel": check_mlmodel,
    "card": check_card,
}
