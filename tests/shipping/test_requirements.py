import re
import subprocess
import sys
from pathlib import Path

import pytest

from modelyard.core import ConfigError, MissingExtraError
from modelyard.core.installed import installed_versions
from modelyard.packaging import Package
from modelyard.shipping import SERVING, serving_pins
from modelyard.shipping.requirements import extra_pins

LOADED = """
import importlib.metadata, sys
from pathlib import Path
from modelyard.serving import ServingSettings, create_app
from modelyard.serving.rest.documentation import build_control
import modelyard.serving.__main__, modelyard.shipping, uvicorn.protocols.http.httptools_impl, uvloop
app = create_app(ServingSettings(Path(sys.argv[1]), Path(sys.argv[2])))
build_control(app.endpoint)
files = {getattr(module, "__file__", None) for module in list(sys.modules.values())} - {None}
pinned = {str(file.locate()) for name in sys.argv[3:] for file in importlib.metadata.files(name)}
ours = str(Path(modelyard.shipping.__file__).parents[1])
print(len(files & pinned), *sorted(file for file in files - pinned if "site-packages" in file and not file.startswith(ours)))
"""


def test_serving_loads_nothing_that_is_not_pinned(package: Package, tmp_path: Path) -> None:
    """A fresh process that serves the package, with its documentation, loads distributions of the list only."""
    pins = [pin.name for pin in serving_pins(package.manifest.requirements)]
    command = [sys.executable, "-c", LOADED, str(package.folder), str(tmp_path), *pins]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    covered, *others = result.stdout.split()
    # Polars and Arrow look for what can be pickled and for the packaging tools, and do without.
    unexpected = [file for file in others if not re.search(r"/(cloudpickle|setuptools|_distutils_hack)/", file)]

    assert int(covered) > 100
    assert unexpected == []


def test_pins_are_exact_and_of_what_is_at_work_here(package: Package) -> None:
    """Every pin is the installed version, and all that serving imports is among them."""
    pins = {pin.name: pin.version for pin in serving_pins(package.manifest.requirements)}

    assert pins == {name: installed_versions([name])[name] for name in pins}
    assert set(SERVING) <= set(pins)
    assert "lightgbm" in pins


def test_what_a_library_declares_and_nobody_loads_is_left_out(package: Package) -> None:
    """LightGBM's library is read without its Python package, so SciPy is needed only where declarations are followed."""
    lean = {pin.name for pin in serving_pins(package.manifest.requirements)}
    declared = {pin.name for pin in serving_pins(package.manifest.requirements, as_declared=True)}

    assert declared - lean == {"scipy", "narwhals"}
    assert {"scikit-learn", "pandas", "optuna", "mlflow", "typer"} & declared == set()


def test_the_versions_of_the_package_come_first(package: Package) -> None:
    """What the package says it was built with is pinned, not what happens to be installed later."""
    changed = {**package.manifest.requirements, "numpy": "2.0.1"}

    assert "numpy==2.0.1" in map(str, serving_pins(changed))


def test_something_that_is_not_installed_is_refused() -> None:
    """No version of it is known to work here, so none is guessed."""
    with pytest.raises(ConfigError, match=r"got no-such-library\. Run: pip install no-such-library\."):
        serving_pins({"no-such-library": "1"})
    with pytest.raises(MissingExtraError, match=r"pip install 'modelyard\[lambda\]'"):
        extra_pins("no-such-client", extra="lambda", needed_for="a bundle")


def test_a_version_cannot_smuggle_options_into_pips_file() -> None:
    """What a package names as a version is one, or the package is refused."""
    with pytest.raises(ConfigError, match="no version"):
        serving_pins({"numpy": "2.4.6\n--index-url elsewhere"})
