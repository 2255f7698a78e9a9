"""The three stories: deploy, roll back, restore. Each is a list of steps, carried out in order and undone in reverse.

A plan can be printed before it runs (`changeover deploy APP --dry-run`): each step describes itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.apps.context import AppContext
from orchestrator.deploy.standby import Standby
from orchestrator.deploy.steps.backup import Backup, BackupBeforeRollback
from orchestrator.deploy.steps.base import Step
from orchestrator.deploy.steps.build import Build
from orchestrator.deploy.steps.fetch import Fetch
from orchestrator.deploy.steps.migrate import Migrate, MigrateForStandby
from orchestrator.deploy.steps.prepare import Prepare
from orchestrator.deploy.steps.restore import BackUpReplacedData, ReplaceData, ResumeActive
from orchestrator.deploy.steps.retire import Retire
from orchestrator.deploy.steps.start import StartCandidate, StartRelease, StartStandby, WakeStandby
from orchestrator.deploy.steps.switch import SwitchToCandidate, SwitchToStandby
from orchestrator.deploy.steps.verify import Verify
from orchestrator.domain.deployment import Deployment, Kind

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
"""Make a release live. Whatever fails before its end is undone, while the release before serves on."""

ROLL_BACK: Plan = (SwitchToStandby(),)
"""Go back to a standby that answers and can run on the data as it is."""

ROLL_BACK_TO_SLEEPING: Plan = (WakeStandby(), *ROLL_BACK)
"""Go back to a standby that is paused or stopped, and can run on the data as it is."""

ROLL_BACK_WITH_DATA: Plan = (
    BackupBeforeRollback(),
    MigrateForStandby(),
    StartStandby(),
    Verify(),
    SwitchToStandby(),
)
"""Go back to a standby that cannot run on the data as it is: requests wait while the data goes back with it."""

RESTORE: Plan = (
    BackUpReplacedData(),
    ReplaceData(),
    StartRelease(),
    ResumeActive(),
)
"""Replace the data by a backup's; the active release goes on with it."""

ROLL_BACK_WITH_BACKUP: Plan = (
    BackUpReplacedData(),
    ReplaceData(),
    StartRelease(),
    Verify(),
    SwitchToStandby(),
)
"""Go back to the standby with the data of a backup, where there is no other way back."""

AFTERWARDS = Retire()
"""After each of them, beside whatever comes next: the old colour drains and is kept as standby."""


def to_standby(standby: Standby) -> Plan:
    """The rollback to this standby."""
    if not standby.change.is_empty:
        return ROLL_BACK_WITH_DATA
    return ROLL_BACK if standby.answers else ROLL_BACK_TO_SLEEPING


def with_backup(kind: Kind) -> Plan:
    """A backup's data, for the active release (a restore) or for the standby (a rollback)."""
    return RESTORE if kind is Kind.RESTORE else ROLL_BACK_WITH_BACKUP


def of_interrupted(deployment: Deployment) -> Plan:
    """The plan whose undos fit a deployment that an orchestrator before this one had begun."""
    if deployment.kind is Kind.DEPLOY:
        return DEPLOY
    # A rollback that changes no data has the same switch as the one that does, and nothing else to undo.
    return with_backup(deployment.kind) if deployment.ref else ROLL_BACK_WITH_DATA


@dataclass(frozen=True)
class PlannedStep:
    """One step of a plan that has not begun."""

    name: str
    description: str


def describe(plan: Plan, context: AppContext) -> list[PlannedStep]:
    """What the plan will do for this app, retiring included."""
    return [PlannedStep(step.name, step.describe(context)) for step in (*plan, AFTERWARDS)]
