"""What services answered to a test of notices, in words."""

from __future__ import annotations

from panel.client.notice_requests import NoticeTest, ServiceAnswer
from panel.text.markup import inline


def lines(found: NoticeTest) -> list[str]:
    """One line for each service, then one for each thing that is wrong with a file."""
    return [*map(_of_service, found.services), *(f"[red]✗[/] {inline(problem)}" for problem in found.problems)]


def _of_service(one: ServiceAnswer) -> str:
    if one.taken:
        return f"[green3]✓[/] {inline(one.service)} took it after {one.seconds:.1f} s"
    return f"[red]✗[/] {inline(one.service)}: {inline(one.says)}"
