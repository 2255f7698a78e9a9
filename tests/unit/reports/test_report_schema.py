"""The section `report`: which forge, which repository, and what cannot work."""

from __future__ import annotations

import pytest

from orchestrator.config import loader
from orchestrator.config.app_schema import App
from orchestrator.config.report_schema import api_of, repository_of
from orchestrator.errors import ConfigError


def parsed(remote: str, report: str, source: str = "git") -> App:
    update = f"{{source: {source}, git: {{remote: '{remote}'}}, pypi: {{package_name: shop}}}}"
    text = f"apps:\n  shop:\n    route: {{host: shop.test}}\n    update: {update}\n    report: {report}\n"
    return loader.parse(text, "c.yaml").config.apps["shop"]


TOKEN = "token_file: secrets/forge"


@pytest.mark.parametrize(
    ("remote", "more", "api", "repository"),
    [
        ("https://github.com/team/shop.git", "kind: github", "https://api.github.com", "team/shop"),
        ("git@github.com:team/shop.git", "kind: github", "https://api.github.com", "team/shop"),
        ("https://git.test/team/shop", "kind: github", "https://git.test/api/v3", "team/shop"),
        ("https://git.test/a/b/shop.git", "kind: gitlab", "https://git.test/api/v4", "a/b/shop"),
        ("https://git.test:8443/team/shop.git/", "kind: gitea", "https://git.test:8443/api/v1", "team/shop"),
        ("ssh://git@git.test:2222/team/shop.git", "kind: forgejo", "https://git.test/api/v1", "team/shop"),
        (
            "https://mirror.test/x/y.git",
            "kind: forgejo, api_url: 'https://git.test/api/v1/', repository: team/shop",
            "https://git.test/api/v1",
            "team/shop",
        ),
        ("/srv/git/shop", "kind: gitea, api_url: 'http://127.0.0.1:3000/api/v1', repository: team/shop",
         "http://127.0.0.1:3000/api/v1", "team/shop"),
    ],
)  # fmt: skip
def test_the_forge_is_that_of_the_remote_unless_another_one_is_named(
    remote: str, more: str, api: str, repository: str
) -> None:
    app = parsed(remote, f"{{{more}, {TOKEN}}}")

    assert app.report
    assert api_of(app.report, app.update) == api
    assert repository_of(app.report, app.update) == repository


@pytest.mark.parametrize(
    ("remote", "report", "source", "says"),
    [
        ("https://git.test/a/b", f"{{kind: bitbucket, {TOKEN}}}", "git", "expected one of 'github'"),
        ("https://git.test/a/b", "{kind: github}", "git", "token_file"),
        ("https://git.test/a/b", f"{{kind: github, {TOKEN}}}", "pypi", "only commits have a status"),
        ("/srv/git/shop", f"{{kind: github, {TOKEN}, api_url: 'https://a.test'}}", "git", "set 'repository'"),
        ("/srv/git/shop", f"{{kind: github, {TOKEN}, repository: a/b}}", "git", "set 'api_url'"),
        ("https://git.test/a/b", f"{{kind: github, {TOKEN}, api_url: 'http://git.test'}}", "git", "an https:// URL"),
        ("https://git.test/a/b", f"{{kind: github, {TOKEN}, api_url: 'https://u:p@git.test'}}", "git", "without cred"),
        ("https://git.test/a/b", f"{{kind: github, {TOKEN}, repository: ../admin}}", "git", "owner and the name"),
        ("https://git.test/a/b", f"{{kind: github, {TOKEN}, link: 'javascript:x'}}", "git", "expected a URL"),
    ],
)
def test_what_cannot_work_is_refused(remote: str, report: str, source: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parsed(remote, report, source)

    assert "c.yaml:5: apps.shop.report" in str(refused.value)
    assert says in str(refused.value)
