"""The section `push`: who may announce an update of an app."""

from __future__ import annotations

from typing import Annotated

from orchestrator.config.section import ReadFile, Section, Unit

LEAST_SECRET = 16
"""Characters. What is shorter can be guessed from one signed delivery."""


class Push(Section):
    """Pushes of GitHub, GitLab, Gitea, Forgejo or a registry, after which the app's source is asked and what it has is
    deployed; see [hooks.md](hooks.md)."""

    secret_file: Annotated[str, Unit("path"), ReadFile(at_least=LEAST_SECRET)]
    """A file beside the configuration file with nothing but the secret by which pushes are signed, at least 16
    characters; `changeover push-secret APP` writes one. It is read again for each push. Example: secrets/shop-hook"""
