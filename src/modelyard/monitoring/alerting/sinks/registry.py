"""From the project file to a sink."""

import importlib.metadata
from collections.abc import Callable, Mapping
from pathlib import Path

from modelyard.core import ConfigError
from modelyard.monitoring.alerting.sinks.file import FileSink
from modelyard.monitoring.alerting.sinks.log import LogSink
from modelyard.monitoring.alerting.sinks.mail import MailSink
from modelyard.monitoring.alerting.sinks.protocol import AlertSink
from modelyard.monitoring.alerting.sinks.slack import SlackSink
from modelyard.monitoring.alerting.sinks.webhook import WebhookSink
from modelyard.problem.sections import SinkPlan
from modelyard.problem.sections.alerts import SINK_GROUP

__all__ = ["make_sink"]

_MAKERS: Mapping[str, Callable[[SinkPlan, Path], AlertSink]] = {
    "log": LogSink,
    "file": FileSink,
    "webhook": WebhookSink,
    "slack": SlackSink,
    "smtp": MailSink,
}


def make_sink(plan: SinkPlan, root: Path) -> AlertSink:
    """The sink that a plan describes.

    Parameters
    ----------
    plan
        From the project file.
    root
        The project's folder; paths are relative to it.

    Raises
    ------
    ConfigError
        If a registered sink cannot be loaded, or does not keep the protocol.
    """
    if plan.kind in _MAKERS:
        return _MAKERS[plan.kind](plan, root)
    for entry in importlib.metadata.entry_points(group=SINK_GROUP, name=plan.kind):
        return _registered(entry, plan, root)
    raise ConfigError(
        "there is no such sink", where=f"entry points {SINK_GROUP}", got=repr(plan.kind), cure="Install its package"
    )


def _registered(entry: importlib.metadata.EntryPoint, plan: SinkPlan, root: Path) -> AlertSink:
    try:
        made = entry.load()(plan, root)
    except (ImportError, AttributeError, TypeError) as error:
        raise _unusable(entry, f"{type(error).__name__}: {error}") from error
    if not isinstance(made, AlertSink):
        raise _unusable(entry, f"{type(made).__name__} without the duties of a sink")
    return made


def _unusable(entry: importlib.metadata.EntryPoint, got: str) -> ConfigError:
    return ConfigError(
        "a registered sink cannot be used",
        where=f"entry point {entry.name!r} of {SINK_GROUP}",
        got=got,
        cure=f"Mend {entry.value}, or take its name out of alerts.sinks",
    )
