"""Whether MLflow's files say what the manifest says; MLflow runs what they name."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from modelyard.packaging.manifest import MANIFEST_FILE, Manifest
from modelyard.packaging.mlflow_files import LOADER
from modelyard.packaging.package import Package
from modelyard.packaging.verification.records import Check

__all__ = ["check_mlmodel"]


def check_mlmodel(package: Package) -> Check:
    """Loader, protocol, time, environment, task and kinds."""
    content = yaml.safe_load(package.read("MLmodel"))
    wrong = (
        *_flavours(content["flavors"], package.manifest),
        *_metadata(content, package),
        *_environment(package),
    )
    return Check.of("mlmodel", "MLmodel, its environment and the manifest agree", wrong)


def _flavours(flavours: Mapping[str, Any], manifest: Manifest) -> Iterator[str]:
    """What MLflow would import, and where our own loader would look."""
    generic, own = flavours["python_function"], flavours["modelyard"]
    for what, got, wanted in (
        ("loader_module", generic["loader_module"], LOADER),
        ("code", generic.get("code"), None),
        ("protocol", own["protocol"], manifest.protocol),
        ("manifest", own["manifest"], MANIFEST_FILE),
    ):
        if got != wanted:
            yield f"MLmodel's {what} is {got!r}, where {wanted!r} belongs"


def _metadata(content: Mapping[str, Any], package: Package) -> Iterator[str]:
    """When it was made, the task, and the kinds of columns."""
    made = dt.datetime.strptime(content["utc_time_created"], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=dt.UTC)
    if made != package.manifest.created_at:
        yield f"MLmodel was made at {made}, the manifest at {package.manifest.created_at}"
    task = package.read_json("plan.json")["task"]
    if content["metadata"]["task"] != task:
        yield f"MLmodel's task is {content['metadata']['task']}, that of plan.json {task}"
    kinds = {column["name"]: column["kind"] for column in package.read_json("contract.json")["columns"]}
    if content["metadata"]["kinds"] != kinds:
        yield "MLmodel's kinds of columns are not those of the contract"


def _environment(package: Package) -> Iterator[str]:
    """The three descriptions of the environment against the manifest's requirements."""
    pins = [f"{name}=={version}" for name, version in package.manifest.requirements.items()]
    if package.read("requirements.txt").decode().split() != pins:
        yield "requirements.txt does not name the manifest's requirements"
    conda = yaml.safe_load(package.read("conda.yaml"))
    listed = [item["pip"] for item in conda["dependencies"] if isinstance(item, dict)]
    if listed != [pins]:
        yield "conda.yaml does not name the manifest's requirements"
    if yaml.safe_load(package.read("python_env.yaml"))["dependencies"] != ["-r requirements.txt"]:
        yield "python_env.yaml does not install requirements.txt"
