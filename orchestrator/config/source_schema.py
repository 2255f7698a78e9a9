"""The sections of `update` that name where an app's releases come from, one for each kind of source."""

from __future__ import annotations

import posixpath
import re
from typing import Annotated

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import AfterValidator, field_validator

from orchestrator.config.section import SECONDS, AskedServer, ReadFile, Seconds, Section, Unit
from orchestrator.domain.image_name import TAG, why_no_image
from orchestrator.domain.source_names import is_ref, why_no_remote

EXAMPLE_REMOTE = "https://git.example.com/shop.git"


def _range(value: str) -> str:
    try:
        if not list(SpecifierSet(value)):
            raise InvalidSpecifier("it is empty")
    except InvalidSpecifier as error:
        raise ValueError(
            'expected a range of versions, such as ">=1.2,<2", or one version, such as "==1.2.3"'
        ) from error
    return value


VersionRange = Annotated[Annotated[str, AfterValidator(_range)] | None, Unit("range of versions")]

SecretFile = Annotated[str | None, Unit("path"), ReadFile()]
PublicFile = Annotated[str | None, Unit("path"), ReadFile(is_secret=False)]

_PACKAGE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
"""A name of PEP 508; PyPI has none that is longer."""


class GitSource(Section):
    """A Git repository as the source of updates."""

    remote: Annotated[str, Unit("URL, path or name"), AskedServer()] = "."
    """The repository: a URL, a path in the orchestrator's container, one that begins with `./` or `../` beside the
    configuration file, the name of a remote of the checkout, or `.` for the checkout that `compose.yaml` is in.
    Differs from the original specification (`origin`), because a new installation then works without a remote.
    Example: https://git.example.com/shop.git"""
    branch: Annotated[str | None, Unit("branch or tag")] = None
    """The branch or tag to deploy; the remote's default branch when not set. Differs from the original specification
    (`main`), because the default branch has another name in many repositories. Example: main"""
    tags: Annotated[str | None, Unit("pattern")] = None
    """Follow tags instead of a branch: the newest version among those that match, without pre-releases unless the
    pattern has a `-`. `*` stands for any characters but `/`. Example: "v*\""""
    version_range: VersionRange = None
    """Of these tags, follow only versions of this range, as Python packages write ranges (PEP 440); one version alone
    pins it. Needs `tags`. Example: "==1.2.3\""""
    path: Annotated[str, Unit("path in the repository")] = "."
    """The folder that is built. Only commits that change this folder are updates of the app. Example: services/shop"""
    token_file: SecretFile = None
    """A file beside the configuration file with nothing but a token that may read the repository, which needs an
    https:// URL; redirects are not followed then. Example: secrets/git-token"""
    key_file: SecretFile = None
    """A file beside the configuration file with the private key of SSH that may read the repository, such as a deploy
    key, without a passphrase. It is needed where the remote is reached by SSH: `ssh://…` or `git@host:path`. Example:
    secrets/deploy_key"""
    known_hosts_file: PublicFile = None
    """A file beside the configuration file with the keys of the server, as `ssh-keyscan HOST` prints them. It is needed
    for SSH: a server with another key, or with one that is not in the file, is not asked. Example:
    secrets/known_hosts"""
    submodules: bool = False
    """Fetch submodules, and theirs: from the same server with the same credentials, from others without. Never from a
    path. When false, a commit with submodules is refused. Example: true"""
    lfs: bool = False
    """Fetch the files that the repository keeps in Git LFS. When false, a commit with such files is refused, because
    only their pointers would be built. Example: true"""
    signed_by: PublicFile = None
    """A file beside the configuration file with the keys of SSH whose signatures are accepted, as `ssh-keygen`
    describes it under ALLOWED SIGNERS. A commit is refused then unless one of them has signed it, or a tag of it.
    Signatures are not looked at when not set. Example: secrets/allowed_signers"""
    auto_fetch: bool = True
    """Ask the remote by itself. When false, only a push, a check of a person, a deployment and the panel do. Example:
    false"""
    fetch_interval: Annotated[Seconds | None, Unit(SECONDS)] = None
    """How old what was fetched may be before a check in the background asks the remote again; each one does when not
    set. Differs from the original specification (3600), because a shorter `background_check.interval` alone would then
    have no effect. Example: 900"""

    @field_validator("remote")
    @classmethod
    def _remote_is_no_option(cls, value: str) -> str:
        if why := why_no_remote(value):
            raise ValueError(f"expected a URL, a path or the name of a remote, such as {EXAMPLE_REMOTE}: {why}")
        return value

    @field_validator("tags")
    @classmethod
    def _tags_are_a_pattern(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9*?._/+\[\]][A-Za-z0-9*?._/+\[\]-]{0,99}", value):
            raise ValueError("expected a pattern of tags, such as v*")
        return value

    @field_validator("branch")
    @classmethod
    def _branch_is_a_name(cls, value: str | None) -> str | None:
        if value is not None and not is_ref(value):
            raise ValueError("expected the name of a branch or tag, such as main")
        return value

    @field_validator("path")
    @classmethod
    def _path_is_in_the_repository(cls, value: str) -> str:
        if value.startswith(("/", ":")) or ".." in value.split("/") or "\0" in value:
            raise ValueError("expected a path in the repository, without '..', such as services/shop")
        # Git takes no empty path, and everybody else compares with the shortest form of the root.
        return "." if posixpath.normpath(value or ".") == "." else value


class PypiSource(Section):
    """A package on a Python package index as the source of updates."""

    package_name: Annotated[str, Unit("name")]
    """The package to install. Differs from the original specification (`control-panel`), because any app can have this
    source. Example: control-panel"""
    index_url: Annotated[str | None, Unit("URL"), AskedServer()] = None
    """The package index, as pip takes it (PEP 503, PEP 691), as it is reached from the orchestrator's container. When
    not set, the one that pip or uv of this machine is configured with, or else PyPI. Example:
    https://index.example.com/simple/"""
    credentials_file: SecretFile = None
    """A netrc file beside the configuration file with the user and the password or token for the index's host: `machine
    index.example.com login ci password …`. They are sent to that host alone, encrypted, and in the build to pip and uv
    as the secret `netrc`. Example: secrets/netrc"""
    pre_release: bool = False
    """Offer pre-releases too. Example: true"""
    version_range: VersionRange = None
    """Offer only versions of this range (PEP 440); one version alone pins it. Example: "==1.2.3\""""
    command: Annotated[tuple[str, ...] | None, Unit("list of words")] = None
    """The command of the image that is made around the package; the package's own command when not set. A source
    distribution with a Dockerfile is not built then. Example: [datasette, serve, -h, 0.0.0.0]"""
    python: Annotated[str | None, Unit("version")] = None
    """The Python of that image: it is made from `python:VERSION-slim`; from `debian:trixie-slim` with its Python 3.13
    when not set. Example: "3.12\""""

    @field_validator("package_name")
    @classmethod
    def _package_is_a_name(cls, value: str) -> str:
        if not _PACKAGE.fullmatch(value):
            raise ValueError("expected the name of one package, without version or extras, such as datasette")
        return value

    @field_validator("index_url")
    @classmethod
    def _index_is_a_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~/%+-]*)?", value):
            raise ValueError(
                "expected a URL without credentials, such as https://index.example.com/simple/, of letters, digits and "
                "the characters . _ ~ / % + -"
            )
        return value

    @field_validator("command")
    @classmethod
    def _command_has_a_program(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and not (value and value[0]):
            raise ValueError("expected a list that begins with a program, such as [datasette, serve]")
        return value

    @field_validator("python")
    @classmethod
    def _python_is_a_version(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"3\.\d{1,2}", value):
            raise ValueError('expected a version of Python in quotation marks, such as "3.12"')
        return value


class UrlSource(Section):
    """A manifest and an archive on a web server as the source of updates."""

    manifest_url: Annotated[str, Unit("URL"), AskedServer()]
    """The JSON file that names the newest version, or several; see [archives.md](archives.md). Example:
    https://example.com/shop/manifest.json"""
    download_url: Annotated[str, Unit("URL"), AskedServer()]
    """The archive of a version; `{version}` is replaced by it. Example: https://example.com/shop/{version}.tar.gz"""
    version_range: VersionRange = None
    """Offer only versions of this range, as Python packages write ranges (PEP 440); one version alone pins it. Example:
    "==1.2.3\""""
    public_key: PublicFile = None
    """The public key of [minisign](https://jedisct1.github.io/minisign/) that archives must be signed with, in a file
    beside the configuration file; signatures are not looked at when not set. Example: secrets/minisign.pub"""

    @field_validator("manifest_url", "download_url")
    @classmethod
    def _is_a_url(cls, value: str) -> str:
        if not re.match(r"https?://[^/\s]", value):
            raise ValueError("expected a URL with https:// or http://, such as https://example.com/shop/manifest.json")
        return value

    @field_validator("download_url")
    @classmethod
    def _is_of_each_version(cls, value: str) -> str:
        if "{version}" not in value:
            raise ValueError("expected {version} in it, such as https://example.com/shop/{version}.tar.gz")
        return value


class RegistrySource(Section):
    """An image of a registry as the source of updates: it is deployed as it is, by its digest."""

    image: Annotated[str, Unit("name"), AskedServer()]
    """The image, with its registry and without a tag; one of Docker Hub without a registry. Example:
    registry.example.com/shop"""
    tag: Annotated[str, Unit("tag")] = "latest"
    """The tag that is followed: what it stands for is the newest release. Example: stable"""
    version_range: VersionRange = None
    """Instead of one tag, the newest of all tags that are versions of this range, without pre-releases. A range is
    written as for Python packages (PEP 440). Example: ">=1.2,<2\""""
    username: Annotated[str, Unit("name")] = ""
    """As whom the registry is asked and the image fetched; as anybody when not set. Example: ci"""
    password_file: SecretFile = None
    """A file beside the configuration file with nothing but the password or token of that user. Example:
    secrets/registry"""
    cosign_key: PublicFile = None
    """The public key of [cosign](https://github.com/sigstore/cosign) that the image must be signed with, in a file
    beside the configuration file; signatures are not looked at when not set. Example: secrets/cosign.pub"""
    insecure: bool = False
    """Ask the registry without encryption (http). The engine must allow that, too; it does for 127.0.0.1. Example:
    true"""

    @field_validator("image")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if why := why_no_image(value):
            raise ValueError(f"expected the name of an image, such as registry.example.com/shop: {why}")
        return value

    @field_validator("tag")
    @classmethod
    def _is_a_tag(cls, value: str) -> str:
        if not TAG.fullmatch(value):
            raise ValueError("expected a tag, such as stable")
        return value

    @field_validator("username")
    @classmethod
    def _is_a_user(cls, value: str) -> str:
        if ":" in value or not value.isprintable():
            raise ValueError("expected the name of a user, without a colon, such as ci")
        return value
