"""What a container is made from, besides its image: it decides whether a deployment would change anything."""

from __future__ import annotations

import hashlib
import json

from orchestrator.apps.context import AppContext
from orchestrator.config.env_file import EnvFileUnreadable, read_bounded
from orchestrator.domain.deployment import Deployment

AT_ONCE = {"update", "route", "drain"}
"""The sections of an app that take effect when the configuration is loaded. All others do so by a deployment."""


def made_from(context: AppContext) -> str:
    """A digest of the configuration that a container of the app is made from now. Empty if it cannot be read.

    Keys that have their default are left out, so that a new key of a later version of Changeover changes nothing.
    """
    named = context.config.run.env_file
    sections = context.config.model_dump(mode="json", exclude_defaults=True, exclude=AT_ONCE)
    try:
        secrets = read_bounded(context.config_file.parent / named) if named else b""
    except (OSError, EnvFileUnreadable):
        return ""
    parts = [sections, context.config.update.git.path, context.environment, hashlib.sha256(secrets).hexdigest()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def is_changed_since(context: AppContext, deployment: Deployment) -> bool:
    """Whether the configuration was changed since the deployment's container was made. False if that is not known."""
    return bool(deployment.made_from) and deployment.made_from != made_from(context)
