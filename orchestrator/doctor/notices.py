"""What is wrong with notices: URLs that cannot be used, and services that do not take them."""

from __future__ import annotations

from orchestrator.doctor.report import Finding
from orchestrator.domain.counted import counted
from orchestrator.server import Orchestrator

TEST = "Correct the file that is named, then try it: changeover notify test"


async def notices(orchestrator: Orchestrator) -> list[Finding]:
    """Nothing where nobody is told anything. What is wrong with the files is a finding of the configuration."""
    known = await orchestrator.notices.current()
    if not known.urls:
        return []
    wrong = [Finding("notices", False, says, TEST) for says in await orchestrator.trials.unusable()]
    failing = [
        Finding("notices", False, f"{says} Since {since:%Y-%m-%d %H:%M} UTC." if since else says, TEST)
        for says, since in orchestrator.notices.problems()
    ]
    waiting = orchestrator.notices.waiting.total()
    left = f", {counted(waiting, 'notice')} waiting" if waiting else ""
    return wrong + failing or [Finding("notices", True, f"{counted(len(known.urls), 'service')}{left}")]
