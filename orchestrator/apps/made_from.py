"""What a container is made from, besides its image: it decides whether a deployment would change anything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from orchestrator.apps.context import AppContext
from orchestrator.config.env_file import EnvFileUnreadable, read_bounded
from orchestrator.domain.deployment import Deployment

AT_ONCE: Mapping[str, Any] = {
    **dict.fromkeys(("update", "route", "drain", "health", "backup", "push", "report", "notify"), True),
    "build": {"timeout": True, "memory": True},
    "migrate": {"timeout": True},
}
"""The sections and keys of an app that take effect when the configuration is loaded, or that only limit the work of a
deployment. All others take effect by a deployment."""
AT_ONCE_BEFORE: tuple[Mapping[str, Any], ...] = (
    {name: keys for name, keys in AT_ONCE.items() if name not in ("push", "report")},
    dict.fromkeys(("update", "route", "drain"), True),
)
"""The same of earlier versions of Changeover, whose digests the journal has; the newest first."""
BY_DEPLOYMENT: Mapping[str, Any] = {
    **dict.fromkeys(("run", "standby"), True),
    "build": dict.fromkeys(("dockerfile", "context", "target", "args", "secrets"), True),
    "migrate": dict.fromkeys(("command", "status", "down", "compatible"), True),
}
"""All the others. A test compares both with the model, so that each new key is decided on."""


def made_from(context: AppContext) -> str:
    """A digest of the configuration that a container of the app is made from now. Empty if it cannot be read.

    Keys that have their default are left out, so that a new key of a later version of Changeover changes nothing.
    """
    return digest_without(context, AT_ONCE)


def is_made_from(context: AppContext, deployment: Deployment) -> bool:
    """Whether the deployment's container was made from the configuration as it is now, as far as that is known."""
    now = (made_from(context), *(digest_without(context, one) for one in AT_ONCE_BEFORE))
    return bool(deployment.made_from) and deployment.made_from in now


def digest_without(context: AppContext, at_once: Mapping[str, Any]) -> str:  # Any: what pydantic's `exclude` takes
    """The digest of all sections and keys but these. Empty if it cannot be read."""
    named = context.config.run.env_file
    sections = context.config.model_dump(mode="json", exclude_defaults=True, exclude=dict(at_once))
    try:
        secrets = read_bounded(context.config_file.parent / named) if named else b""
    except (OSError, EnvFileUnreadable):
        return ""
    said = {name: section for name, section in sections.items() if section != {}}
    parts = [said, context.config.update.built_path, context.environment, hashlib.sha256(secrets).hexdigest()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def is_changed_since(context: AppContext, deployment: Deployment) -> bool:
    """Whether the configuration was changed since the deployment's container was made. False if that is not known."""
    return bool(deployment.made_from and made_from(context)) and not is_made_from(context, deployment)
