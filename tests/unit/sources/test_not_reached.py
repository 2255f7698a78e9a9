"""Why a server was not reached is told in plain words, whichever program has asked it."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from border.secrets import Secrets
from orchestrator.config.source_schema import GitSource
from orchestrator.errors import StepFailed
from orchestrator.host import child_process
from orchestrator.sources.git import GitRepository
from orchestrator.sources.git_failure import why_git_failed
from orchestrator.sources.not_reached import why_not_reached
from orchestrator.sources.web import Web

REMOTE = "https://git.test/shop.git"
ACCESS = f"fatal: unable to access '{REMOTE}/': "
NOTHING, NO_NAME = "nothing answers at its address and port", "no server has the name in its address"
AUTHORITY, OTHER_NAME = "of no authority that is accepted here", "is for another name"
NO_TLS, ENDED, SILENT = "does not answer with encryption", "ended the connection before", "does not answer in time"

SAID = {
    # git with libcurl and GnuTLS, as Debian has it, and with OpenSSL
    f"{ACCESS}Could not resolve host: git.test": NO_NAME,
    f"{ACCESS}Could not resolve proxy: proxy.test": NO_NAME,
    f"{ACCESS}Failed to connect to git.test port 443 after 2 ms: Couldn't connect to server": NOTHING,
    f"{ACCESS}server certificate verification failed. CAfile: /etc/ca.crt CRLfile: none": AUTHORITY,
    f"{ACCESS}server verification failed: certificate signer not trusted. (CAfile: none)": AUTHORITY,
    f"{ACCESS}SSL certificate problem: unable to get local issuer certificate": AUTHORITY,
    f"{ACCESS}SSL certificate problem: self-signed certificate in certificate chain": AUTHORITY,
    f"{ACCESS}SSL: certificate subject name (git.test) does not match target host name '10.0.0.1'": OTHER_NAME,
    f"{ACCESS}SSL: no alternative certificate subject name matches target host name '10.0.0.1'": OTHER_NAME,
    f"{ACCESS}SSL certificate problem: certificate has expired": "is not valid at this time",
    f"{ACCESS}Problem with the SSL CA cert (path? access rights?)": "that SSL_CERT_FILE names cannot be read",
    f"{ACCESS}error setting certificate file: /source/secrets/ca.pem": "that SSL_CERT_FILE names cannot be read",
    f"{ACCESS}gnutls_handshake() failed: An unexpected TLS packet was received.": NO_TLS,
    f"{ACCESS}OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number": NO_TLS,
    f"{ACCESS}Recv failure: Connection reset by peer": ENDED,
    f"{ACCESS}Operation timed out after 300000 milliseconds with 0 bytes received": SILENT,
    "error: RPC failed; curl 56 Recv failure\nfatal: early EOF": ENDED,
    "fatal: unable to connect to git.test:\ngit.test[0: 10.0.0.1]: errno=Connection refused": NOTHING,
    f"{ACCESS}The requested URL returned error: 403": "wants to know who asks",
    f"{ACCESS}The requested URL returned error: 502": "its server answers with status 502",
    f"{ACCESS}The requested URL returned error: 302": "its server leads to another address (status 302)",
    f"{ACCESS}The requested URL returned error: 429": "its server answers with status 429",
    "fatal: could not read Username for 'https://git.test': terminal prompts disabled": "wants to know who asks",
    f"fatal: Authentication failed for '{REMOTE}/'": "wants to know who asks",
    f"fatal: repository '{REMOTE}/' not found": "has no such repository, or none that may be read",
    f"fatal: {REMOTE}/info/refs not valid: is this a git repository?": "there is no Git repository at this place",
    "fatal: '/srv/none' does not appear to be a git repository\nfatal: Could not read from remote repository.":
        "there is no Git repository at this place",
    "fatal: repository '/srv/none' does not exist": "there is no Git repository at this place",
    "fatal: unable to update url base from redirection:\n  asked for: x\n   redirect: y": "leads to another page",
    "fatal: protocol error: bad line length character: <htm": "is not one of Git",
    "error: unable to write file: No space left on device": "the disk is full",
    "fatal: something that nobody knows": "something that nobody knows",
}  # fmt: skip
OF_GIT = re.compile(r"fatal|unable to access|curl|terminal prompts|gnutls|CAfile|errno|OpenSSL|url base")


@pytest.mark.parametrize("said", SAID)
def test_what_git_prints_is_told_in_plain_words_with_what_to_do(said: str) -> None:
    cause, remedy = why_git_failed(said, GitSource(remote=REMOTE), REMOTE)

    assert SAID[said] in cause
    assert not OF_GIT.search(cause)
    assert remedy.endswith(".")


def test_who_is_not_let_in_is_told_of_what_is_configured() -> None:
    said = "fatal: could not read Username for 'https://git.test': terminal prompts disabled"
    with_user = "https://me:secret@git.test/shop.git"

    with_token, _ = why_git_failed(said, GitSource(remote=REMOTE, token_file="secrets/token"), REMOTE)
    in_address, remedy = why_git_failed(said, GitSource(remote=with_user), with_user)

    assert "does not accept the token in secrets/token" in with_token
    assert "user and password in its address" in in_address
    assert "secret" not in f"{in_address} {remedy}"


def test_a_server_of_this_host_is_told_by_which_name_it_is_reached() -> None:
    said = f"{ACCESS}Failed to connect to 127.0.0.1 port 3000 after 0 ms: Couldn't connect to server"

    assert "host.docker.internal" in why_git_failed(said, GitSource(), "http://127.0.0.1:3000/shop.git")[1]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (httpx.ConnectError("[Errno -2] Name or service not known"), NO_NAME),
        (httpx.ConnectError("[Errno -3] Temporary failure in name resolution"), "cannot be looked up now"),
        (httpx.ConnectError("All connection attempts failed"), NOTHING),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer "
                            "certificate (_ssl.c:1006)"), AUTHORITY),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, certificate"
                            " is not valid for 'x.test'. (_ssl.c:1006)"), OTHER_NAME),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired "
                            "(_ssl.c:1006)"), "is not valid at this time"),
        (httpx.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)"), NO_TLS),
        (httpx.ReadTimeout(""), SILENT),
        (httpx.ConnectTimeout(""), SILENT),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), ENDED),
        (httpx.ReadError(""), ENDED),
    ],
)  # fmt: skip
async def test_what_httpx_says_is_told_in_plain_words(error: httpx.HTTPError, says: str) -> None:
    def fails(_request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(StepFailed) as failed:
        await Web(httpx.MockTransport(fails), pause_s=0.0).page("https://x.test/manifest.json", "application/json")

    assert says in failed.value.cause
    assert not re.search(r"Errno|SSL:|_ssl|Error\b", str(failed.value))


def test_other_failures_are_none_of_the_connection() -> None:
    assert why_not_reached("fatal: couldn't find remote ref refs/heads/main") is None


@pytest.mark.parametrize(("content", "says"), [(None, "No such file"), ("no certificate", "it has no certificate")])
async def test_a_file_of_authorities_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, says: str
) -> None:
    """It ended the check as a defect, or as a full disk."""
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    web = Web(pause_s=0.0)

    for ask in (web.page("https://x.test/", "text/plain"), web.download("https://x.test/", tmp_path / "to", "0" * 64)):
        with pytest.raises(
            StepFailed, match=rf"{bundle} of certificate authorities.* cannot be used: {says}"
        ) as failed:
            await ask
        assert "compose.override.yaml" in failed.value.remedy


async def test_a_remote_that_wants_a_password_is_told_in_plain_words_and_git_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`deploy --dry-run`, `check` and `versions` said what git said."""
    said = b"fatal: could not read Username for 'https://git.test': terminal prompts disabled\n"

    async def run(*_command: str, **_options: object) -> child_process.Ended:
        return child_process.Ended(128, b"", said)

    monkeypatch.setattr(child_process, "run", run)
    (tmp_path / "m.git").mkdir()
    (tmp_path / "m.git/HEAD").write_text("ref: refs/heads/main\n")
    source = GitRepository(GitSource(remote=REMOTE), tmp_path / "m.git", tmp_path, known_secrets=Secrets())

    with pytest.raises(StepFailed) as failed:
        await source.newest()

    assert failed.value.cause.startswith(
        f"The repository {REMOTE} could not be read: its server wants to know who asks"
    )
    assert failed.value.log == tuple(said.decode().splitlines())
