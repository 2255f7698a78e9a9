"""`changeover backup restore --configuration`: an app's section of an earlier configuration file is put back."""

from __future__ import annotations

from panel.cli.output import REFUSED, out, print_json, run, show, stop
from panel.cli.question import ask


def put_back(app: str, backup: str, *, yes: bool, as_json: bool) -> None:
    """Show how the section differs, ask, and put it back. Ends the command when that is refused or not wanted."""

    found = run(lambda client: client.configuration_difference(app, backup))
    if found.refused:
        stop(found.refused, REFUSED)
    if not found.lines:
        if as_json:
            print_json({"digest": found.digest})
        else:
            out.print(f"The configuration of {app} is the same as in backup {backup}. Nothing was changed.")
        return
    if not yes:
        ask(f"Put the configuration of {app} of backup {backup} back into the file?", found.lines)
    show(
        lambda client: client.put_back_configuration(app, backup, found.digest),
        as_json,
        lambda _: (
            f"The configuration of {app} is that of backup {backup} again; the file before is kept beside it as "
            f"*.previous. Its data was not changed. 'changeover status' says if a deployment is needed: "
            f"changeover deploy {app}"
        ),
        markup=False,
    )
