"""The plans: deploy, roll back, restore. Each is a list of steps, run in order and undone in reverse order.

A plan can be printed before it runs: `changeover deploy APP --dry-run`.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.apps.context import AppContext
from orchestrator.deploy.standby import Standby
from orchestrator.deploy.steps.backup import Backup, BackupBeforeRollback
from orchestrator.deploy.steps.base import Step
from orchestrator.deploy.steps.build import Build
from orchestrator.deploy.steps.build_again import BuildAgain
from orchestrator.deploy.steps.fetch import Fetch
from orchestrator.deploy.steps.migrate import Migrate, MigrateForStandby
from orchestrator.deploy.steps.prepare import Prepare
from orchestrator.deploy.steps.restore import BackUpReplacedData, ReplaceData, ResumeActive
from orchestrator.deploy.steps.retire import Retire
from orchestrator.deploy.steps.start import StartCandidate, StartRelease, StartStandby, WakeStandby
from orchestrator.deploy.steps.switch import SwitchToAwakened, SwitchToCandidate, SwitchToStandby
from orchestrator.deploy.steps.verify import Verify
from orchestrator.domain.deployment import Deployment, Kind, StepName

Plan = tuple[Step, ...]

DEPLOY: Plan = (
    Prepare(),
    Fetch(),
    Build(),
    Backup(),
    Migrate(),
    StartCandidate(),
    Verify(),
    SwitchToCandidate(),
)
"""Deploy a release. If a step fails, the steps are compensated and the active release keeps the traffic."""

ROLL_BACK: Plan = (SwitchToStandby(),)
"""Roll back to a standby that is ready and can run on the data as it is."""

ROLL_BACK_TO_SLEEPING: Plan = (WakeStandby(), *ROLL_BACK)
"""Roll back to a standby that is paused or stopped and can run on the data as it is."""

ROLL_BACK_WITH_DATA: Plan = (
    BackupBeforeRollback(),
    MigrateForStandby(),
    StartStandby(),
    Verify(),
    SwitchToStandby(),
)
"""Roll back to a standby that cannot run on the data as it is: requests are paused while migrations are reverted."""

RESTORE: Plan = (
    BackUpReplacedData(),
    ReplaceData(),
    StartRelease(),
    ResumeActive(),
)
"""Replace the data by a backup's. The active release runs on it."""

RESTORE_WITH_RELEASE: Plan = (
    BackUpReplacedData(),
    ReplaceData(),
    StartCandidate(),
    Verify(),
    SwitchToCandidate(),
)
"""Replace the data by a backup's, and deploy the backup's release on it (`changeover backup restore … --release`)."""

RESTORE_WITH_RELEASE_BUILT_AGAIN: Plan = (BuildAgain(), *RESTORE_WITH_RELEASE)
"""The same where the image of the backup's release does not exist any more."""

ROLL_BACK_WITH_BACKUP: Plan = (
    BackUpReplacedData(),
    ReplaceData(),
    StartRelease(),
    Verify(),
    SwitchToStandby(),
)
"""Roll back to the standby with the data of a backup (`changeover rollback APP --restore BACKUP`)."""

AFTERWARDS = Retire()
"""Runs after each plan, at the same time as the next request: the old colour drains and is kept as standby."""


def to_standby(standby: Standby) -> Plan:
    """The plan of a rollback to this standby."""
    if not standby.change.is_empty:
        return ROLL_BACK_WITH_DATA
    if standby.awake:
        return (SwitchToAwakened(standby.awake),)
    return ROLL_BACK if standby.answers else ROLL_BACK_TO_SLEEPING


def with_backup(record: Deployment) -> Plan:
    """The plan that restores a backup: for the active release, for the backup's, or for the standby (a rollback)."""
    if record.brings_release:
        has_image = record.release is not None and record.release.image and not record.has_begun(StepName.BUILD)
        return RESTORE_WITH_RELEASE if has_image else RESTORE_WITH_RELEASE_BUILT_AGAIN
    return RESTORE if record.kind is Kind.RESTORE else ROLL_BACK_WITH_BACKUP


def of_interrupted(deployment: Deployment) -> Plan:
    """The plan of a deployment that an earlier process of the orchestrator had begun, for its undos."""
    if deployment.kind is Kind.DEPLOY:
        return DEPLOY
    # A rollback without a schema change has the same switch, and the undos of its other steps do nothing.
    return with_backup(deployment) if deployment.ref else ROLL_BACK_WITH_DATA


@dataclass(frozen=True)
class PlannedStep:
    """One step of a plan and its description, for people."""

    name: str
    description: str


def describe(plan: Plan, context: AppContext) -> list[PlannedStep]:
    """The steps of the plan for this app, with the step retire."""
    return [PlannedStep(step.name, step.describe(context)) for step in (*plan, AFTERWARDS)]
