"""MLflow's model registry as a catalogue: each version with its package as artefacts, loadable by ``mlflow.pyfunc``."""

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.adapters.mlflow_link import reached, require_mlflow
from modelyard.core import ConfigError, IntegrityError
from modelyard.oversight.mirroring import Shown, ShownVersion
from modelyard.oversight.mirroring.protocol import ALIASES, PREFIX
from modelyard.packaging import load_package
from modelyard.packaging.mlflow_files import ADDED_BY_MLFLOW
from modelyard.problem.address import without_password

if TYPE_CHECKING:
    from modelyard.project import Project

__all__ = ["MlflowCatalogue", "catalogue_of"]

_NUMBER = f"{PREFIX}version"
_PACKAGE = "package"
_WHAT = "MLflow could not show the model"


class MlflowCatalogue:
    """Shows versions in MLflow; implements :class:`modelyard.oversight.mirroring.Catalogue`.

    MLflow numbers versions itself and gives no number twice. So a version is known by its tag ``modelyard.version``: one that was
    deleted there comes back under another number of MLflow's, with the same tag and the same aliases.

    Parameters
    ----------
    folder
        Where the embedded store lies, as for :class:`modelyard.adapters.mlflow.MlflowTracker`.
    experiment
        Of the runs that hold the packages.
    uri
        Another tracking URI, such as a server's.

    Raises
    ------
    MissingExtraError
        If MLflow is not installed.
    """

    def __init__(self, folder: Path, experiment: str, uri: str | None = None) -> None:
        require_mlflow("a mirror in MLflow")
        from mlflow import MlflowClient

        self._uri = uri or f"sqlite:///{(folder / 'mlflow.db').absolute()}"
        self._experiment = experiment
        self._artefacts = None if uri else (folder / "artifacts").absolute().as_uri()
        folder.mkdir(parents=True, exist_ok=True)
        with reached(self._uri, _WHAT):
            self._client: Any = MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)

    @property
    def where(self) -> str:
        """The tracking URI, without a password."""
        return without_password(self._uri)

    def read(self, name: str) -> Shown:
        """Versions with our tag, their bytes, and our aliases."""
        with reached(self._uri, _WHAT):
            model = self._model(name)
            if model is None:
                return Shown({}, {})
            found = [item for item in self._client.search_model_versions(f"name = '{name}'") if _NUMBER in item.tags]
            versions = {
                item.tags[_NUMBER]: self._shown(item) for item in sorted(found, key=lambda one: int(one.version))
            }
            numbers = {version.place: number for number, version in versions.items()}
            aliases = {alias: numbers.get(str(place), "") for alias, place in model.aliases.items() if alias in ALIASES}
        return Shown(versions, aliases)

    def put(self, name: str, number: str, version: ShownVersion, package: Path, before: ShownVersion | None) -> None:
        """Tags and description where they are; a version with other bytes is deleted and made anew."""
        with reached(self._uri, _WHAT):
            if before is not None and before.digest != version.digest:
                self._client.delete_model_version(name, before.place)
            if before is None or before.digest != version.digest:
                self._make(name, number, version, package)
                return
            for tag in before.tags.keys() - version.tags.keys():
                self._client.delete_model_version_tag(name, before.place, tag)
            for tag, value in version.tags.items():
                if before.tags.get(tag) != value:
                    self._client.set_model_version_tag(name, before.place, tag, value)
            if before.description != version.description:
                self._client.update_model_version(name, before.place, version.description)

    def point(self, name: str, alias: str, number: str) -> None:
        """An alias, by MLflow's number of the version."""
        with reached(self._uri, _WHAT):
            if not number:
                self._client.delete_registered_model_alias(name, alias)
                return
            found = self._client.search_model_versions(f"name = '{name}'")
            places = [int(item.version) for item in found if item.tags.get(_NUMBER) == number]
            self._client.set_registered_model_alias(name, alias, str(max(places)))

    def _make(self, name: str, number: str, version: ShownVersion, package: Path) -> None:
        """A run with the package as its artefacts, and the version that names it."""
        if self._model(name) is None:
            self._client.create_registered_model(name, tags={f"{PREFIX}model": name})
        tags = {f"{PREFIX}package": version.digest}
        run = self._client.create_run(self._experiment_id(), run_name=f"package {name}/{number}", tags=tags)
        self._client.log_artifacts(run.info.run_id, str(package), _PACKAGE)
        self._client.set_terminated(run.info.run_id)
        source = f"{run.info.artifact_uri}/{_PACKAGE}"
        self._client.create_model_version(
            name, source, run.info.run_id, tags=dict(version.tags), description=version.description
        )

    def _model(self, name: str) -> Any:
        """The registered model; None if it is not there."""
        found = self._client.search_registered_models(f"name = '{name}'")
        return self._client.get_registered_model(name) if found else None

    def _experiment_id(self) -> str:
        found = self._client.get_experiment_by_name(self._experiment)
        if found is not None:
            return str(found.experiment_id)
        return str(self._client.create_experiment(self._experiment, artifact_location=self._artefacts))

    def _shown(self, version: Any) -> ShownVersion:
        tags = {name: value for name, value in version.tags.items() if name.startswith(PREFIX)}
        return ShownVersion(tags, version.description or "", self._digest(version), str(version.version))

    def _digest(self, version: Any) -> str:
        """The digest of the package that lies there, every byte verified; empty if it is none."""
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        scratch = Path(tempfile.mkdtemp(prefix="modelyard-mirror-"))
        try:
            folder = download_artifacts(
                artifact_uri=version.source, dst_path=str(scratch), tracking_uri=self._uri, registry_uri=self._uri
            )
            return load_package(folder, beside=ADDED_BY_MLFLOW).manifest.digest
        except (IntegrityError, MlflowException, OSError):
            return ""
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def catalogue_of(project: "Project") -> MlflowCatalogue:
    """The MLflow of a project's file.

    Raises
    ------
    ConfigError
        If it names none.
    MissingExtraError
        If MLflow is not installed.
    """
    tracking = project.problem.tracking
    if tracking.backend != "mlflow":
        cure = "Set tracking.backend: mlflow, and tracking.uri if it is not to be embedded in the project"
        raise ConfigError("the project file names no MLflow", where="tracking.backend", got=tracking.backend, cure=cure)
    folder = project.workspace.state / "tracking"
    return MlflowCatalogue(folder, tracking.experiment or project.problem.name, tracking.uri)
