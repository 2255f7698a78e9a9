"""The specification of a release's container, from the app's configuration: for app containers and sidecars."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.apps.context import AppContext
from orchestrator.config.env_file import read_env_file_in
from orchestrator.config.run_schema import Mounted
from orchestrator.config.secret_values import secrets_of_file
from orchestrator.domain.deployment import Deployment
from orchestrator.engine.base import (
    LABEL_APP,
    LABEL_COLOUR,
    LABEL_DEPLOYMENT,
    LABEL_NUMBER,
    LABEL_RELEASE,
    LABEL_REQUESTED,
    LABEL_ROLE,
    LABEL_SOURCE_REVISION,
    ContainerSpec,
    Role,
)
from orchestrator.errors import StepFailed


def container_spec(
    context: AppContext,
    deployment: Deployment,
    role: Role,
    name: str,
    command: tuple[str, ...] | None,
    environment: Mapping[str, str] | None = None,
) -> ContainerSpec:
    """A container of the deployment's release. An app container gets the deployment's address. A sidecar gets any
    address, and an init: its exit code decides, also one that a signal gives.

    `environment` takes the place of that of the configuration. Raises StepFailed when the deployment has no release,
    and EnvFileUnreadable when `run.env_file` cannot be read.
    """
    if deployment.release is None:
        raise StepFailed(f"Deployment {deployment.id} has no release yet.")
    run = context.config.run
    return ContainerSpec(
        name=name,
        image=deployment.release.image,
        command=command,
        labels={
            LABEL_APP: context.name,
            LABEL_COLOUR: str(deployment.colour),
            LABEL_DEPLOYMENT: deployment.id,
            LABEL_RELEASE: deployment.release.version,
            LABEL_SOURCE_REVISION: deployment.release.source_revision,
            LABEL_ROLE: role,
            LABEL_NUMBER: str(deployment.number),
            LABEL_REQUESTED: deployment.requested_at.isoformat(),
        },
        network=context.engine.network,
        address=deployment.address if role is Role.APP else "",
        env={
            **(environment_of(context) if environment is None else environment),
            "CHANGEOVER_APP": context.name,
            "CHANGEOVER_COLOUR": str(deployment.colour),
            "CHANGEOVER_VERSION": deployment.release.version,
            "CHANGEOVER_REVISION": deployment.release.source_revision,
            "CHANGEOVER_DEPLOYMENT": deployment.id,
            "CHANGEOVER_PORT": str(deployment.port or run.port),
        },
        owned=(
            *(((context.volume, run.data),) if run.data else ()),
            *((_source(context, one), one.target) for one in run.mounted if not one.read_only and one.is_volume),
        ),
        mounts=tuple((one.source, one.target) for one in run.mounted if not one.read_only and not one.is_volume),
        read_only_mounts=tuple((_source(context, one), one.target) for one in run.mounted if one.read_only),
        more_networks=run.networks,
        extra_hosts=tuple(run.extra_hosts.items()),
        capabilities=tuple(name.upper() for name in run.capabilities),
        existing=context.existing_volumes,
        memory=run.memory,
        pids=run.pids,
        user=run.user,
        init=role is Role.SIDECAR,
        privileges=run.privileges,
        read_only=run.read_only,
    )


def environment_of(context: AppContext) -> dict[str, str]:
    """The environment variables that the configuration sets. Raises EnvFileUnreadable."""
    return {**_env_file(context), **context.config.run.env, **context.environment}


def _env_file(context: AppContext) -> dict[str, str]:
    named = context.config.run.env_file
    if not named:
        return {}
    variables = read_env_file_in(context.config_file.parent, named)
    # The file may have changed since the configuration was loaded.
    context.known_secrets.know(secrets_of_file(variables))
    return variables


def _source(context: AppContext, mounted: Mounted) -> str:
    """A volume of the app alone, or a folder of the host."""
    return context.volume_called(mounted.source) if mounted.is_volume else mounted.source
