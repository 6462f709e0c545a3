"""What is done with a project's packages once they are built: verified against the registry, exported, measured."""

from pathlib import Path
from typing import TYPE_CHECKING

from modelyard import data as data_room
from modelyard import governance, store
from modelyard.core import Actor, StateError
from modelyard.packaging import Package, load_package
from modelyard.problem import Problem

if TYPE_CHECKING:
    from modelyard.packaging.bench import Benchmark
    from modelyard.packaging.onnx import OnnxExport
    from modelyard.packaging.verification import Verification

__all__ = ["Packages"]

_ROWS_COMPARED = 20_000


class Packages:
    """The verbs of a project that are about built packages; ``project.packages``.

    Each takes the number of a version, or works on the newest package.

    Parameters
    ----------
    problem, workspace, actor
        The project's.
    """

    def __init__(self, problem: Problem, workspace: store.Workspace, actor: Actor) -> None:
        self._problem = problem
        self._workspace = workspace
        self._actor = actor

    def package(self, version: int | None = None) -> Package:
        """The package of a version, else the newest; every file verified, of a version against the registry's digest.

        Raises
        ------
        StateError
            If there is no such version, or no package yet.
        IntegrityError
            If a byte has changed.
        """
        if version is None:
            return load_package(self._newest())
        registry = governance.Registry(self._workspace)
        return registry.package(registry.version(self._problem.name, version))

    def verify(self, version: int | None = None) -> "Verification":
        """Every check of a package; a version is held against the digest that was registered.

        Raises
        ------
        StateError
            If there is no such version, or no package yet.
        IntegrityError
            If there is nothing that could be read as a package.
        """
        from modelyard.packaging.verification import verify_package

        if version is None:
            return verify_package(self._newest())
        known = governance.Registry(self._workspace).version(self._problem.name, version)
        return verify_package(self._workspace.folder("packages", known.folder), digest=known.digest)

    def export_onnx(self, destination: Path | str, version: int | None = None, *, force: bool = False) -> "OnnxExport":
        """Write a package as one ONNX file that answers as it does, on golden rows and on those of the validation part.

        Parameters
        ----------
        destination
            The file.
        force
            Write it even if its answers differ by more than the package allows.

        Raises
        ------
        StateError
            If there is no such package, or it has no exact form in ONNX.
        GateRefusedError
            If the answers differ and ``force`` is false.
        MissingExtraError
            If ONNX or its runtime is not installed.
        IntegrityError
            If a byte of the package has changed.
        NotPermittedError
            If the actor may not export.
        """
        from modelyard.packaging.onnx import export_onnx

        governance.require_permission(self._actor, "export")
        package = self.package(version)
        manifest = package.manifest
        held = data_room.load_split(manifest.split_id, self._workspace).validation.frame.head(_ROWS_COMPARED)
        exported = export_onnx(package, Path(destination), held if held.height else None, force=force)
        details = {"format": "onnx", "path": exported.path, "forced": exported.forced}
        self._workspace.ledger.append(self._actor, "package.exported", manifest.digest, details)
        return exported

    def bench(self, version: int | None = None) -> "Benchmark":
        """Measure a package on this machine and hold it against its declared limits; what is found lies beside it.

        Raises
        ------
        StateError, IntegrityError
            As for :meth:`package`.
        NotPermittedError
            If the actor may not export: what is measured is written beside the package.
        """
        from modelyard.packaging.bench import bench_package

        governance.require_permission(self._actor, "export")
        return bench_package(self.package(version).folder)

    def _newest(self) -> Path:
        folder = self._workspace.pointer("package")
        if folder is None:
            raise StateError("there is no package yet", where=str(self._workspace.root), cure="Run: modelyard package")
        return self._workspace.folder("packages", folder)
