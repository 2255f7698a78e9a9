"""What the files of the configuration have in them is looked at before a check or a deployment fails for it."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
import yaml

from orchestrator.config import loader
from orchestrator.config.preflight import Deployable, preflight
from orchestrator.config.ssh_files import why_no_private_key, why_not_known
from tests.unit.config.test_named_files import GOOD, HOST_KEY, PRIVATE_KEY, configured

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBZ me@here"
LOCKED = base64.b64encode(b"openssh-key-v1\0\0\0\0\x0aaes256-ctr" + bytes(200)).decode()
WRONG = {
    "update.git.key_file": {
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{LOCKED}\n-----END OPENSSH PRIVATE KEY-----\n":
            "has a passphrase, which nobody can type here",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n":
            "has a passphrase, which nobody can type here",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n":
            "has a passphrase, which nobody can type here",
        PUBLIC_KEY: "is a public key. Name the private one",
        "of-another-forge": "is no private key of SSH",
    },
    "update.git.known_hosts_file": {
        f"github.com {HOST_KEY}\n": "has no key of the server git.test. Append the output of 'ssh-keyscan git.test'",
        f"[git.test]:2222 {HOST_KEY}\n": "has no key of the server git.test",
        f"*,!git.test {HOST_KEY}\n": "has no key of the server git.test",
        f"@revoked git.test {HOST_KEY}\n": "has no key of the server git.test",
        f"# git.test {HOST_KEY}\n": "has no key of the server git.test",
        "git.test\n": "has no key of the server git.test",
        f"|1|AAA|AAA= {HOST_KEY}\n": "has no key of the server git.test",
    },
    "update.git.signed_by": {
        PUBLIC_KEY: "has a key without the name of who signs",
        "me@here\n": "has no key of SSH",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n": "has no key of SSH",
    },
    "update.git.token_file": {"GIT_TOKEN = abc": "something else than a token", "one\ntwo": "something else than a"},
    "report.token_file": {"one\ntwo": "something else than a token"},
    "update.registry.password_file": {"secret\nand more": "something else than a password, such as a second line"},
    "update.registry.cosign_key": {PUBLIC_KEY: "is no public key of cosign"},
    "update.url.public_key": {
        PUBLIC_KEY: "is no public key of minisign",
        "untrusted comment: x\nnot base64!\n": "is no public key of minisign",
    },
    "update.pypi.credentials_file": {
        "machine other.test login me password secret-of-another\n":
            "has no entry for the package index's host, 'index.test'. Add one: machine index.test login USER",
        "ci:secret-of-another\n": "is no netrc file. Write it as",
        "machine index.test login me\n": "is empty, or has a character",
    },
}  # fmt: skip
CASES = [(key, text) for key in WRONG for text in WRONG[key]]


def written(folder: Path, key: str, text: str) -> str:
    """The configuration in which the key names a file with this text; the other files of SSH are well."""
    (folder / "secrets").mkdir()
    (folder / "secrets/key").write_text(PRIVATE_KEY)
    (folder / "secrets/known").write_text(f"git.test {HOST_KEY}\n")
    (folder / "secrets/named").write_text(text)
    return configured(key, "secrets/named", "shop")


@pytest.mark.parametrize(("key", "text"), CASES)
async def test_a_file_with_something_else_in_it_is_told_at_its_key(tmp_path: Path, key: str, text: str) -> None:
    config = loader.parse(written(tmp_path, key, text), "c.yaml").config

    (said,) = await preflight(config, tmp_path)

    assert said.startswith(f"apps.shop.{key}: ")
    assert WRONG[key][text] in said
    assert "secrets/named" in said or "the package index on index.test" in said
    assert "secret-of" not in said
    is_of_source = key.startswith("update.")
    assert bool(Deployable(tmp_path).why_not("shop", config.apps["shop"])) is is_of_source


@pytest.mark.parametrize("key", GOOD)
async def test_a_file_that_is_well_is_no_problem(tmp_path: Path, key: str) -> None:
    assert await preflight(loader.parse(written(tmp_path, key, GOOD[key]), "c.yaml").config, tmp_path) == []


async def test_of_an_index_that_only_the_machine_knows_the_form_is_looked_at(tmp_path: Path) -> None:
    section = yaml.safe_load(written(tmp_path, "update.pypi.credentials_file", "machine any.test login a password b\n"))
    del section["apps"]["shop"]["update"]["pypi"]["index_url"]
    config = loader.parse(yaml.safe_dump(section), "c.yaml").config

    assert await preflight(config, tmp_path) == []


async def test_of_an_address_that_is_not_encrypted_one_thing_is_said(tmp_path: Path) -> None:
    text = written(tmp_path, "update.pypi.credentials_file", "machine other.test login a password b\n")
    config = loader.parse(text.replace("https://index.test", "http://index.test"), "c.yaml").config

    (said,) = await preflight(config, tmp_path)

    assert "the password is not sent" in said


HOSTS = {
    "git.test": ("git.test,10.0.0.1", "GIT.test", "*.test", "g?t.test", "!x.test,git.test", "@cert-authority *.test"),
    "[git.test]:2222": ("[git.test]:2222", "[*.test]:2222", "[git.test]:*", "git.test", "![git.test]:*,git.test", "*"),
}
OTHERS = {
    "git.test": ("git.tes", "git.test.evil", "xgit.test", "[git.test]:2222", "gi[t].test", "!git.test,*", "?it.testt"),
    "[git.test]:2222": ("[git.test]:22", "[git.test]:222", "git.tes", "!git.test,![git.test]:*,*", "[x.test]:2222"),
}


def of_ssh_keygen(folder: Path, line: str, name: str) -> bool:
    (folder / "known").write_text(line)
    return subprocess.run(["ssh-keygen", "-F", name, "-f", folder / "known"], capture_output=True).returncode == 0


@pytest.mark.parametrize("hashed", [False, True])
def test_hosts_are_known_as_to_ssh(tmp_path: Path, hashed: bool) -> None:
    """`ssh-keygen -F` looks for a name as ssh does, which looks for a host without its port, too."""
    for table, is_known in ((HOSTS, True), (OTHERS, False)):
        for name, hosts in table.items():
            host, port = ("git.test", "2222") if name.startswith("[") else (name, "")
            for one in hosts:
                line = f"{one} {HOST_KEY}\n"
                if hashed:
                    (tmp_path / "known").write_text(line)
                    subprocess.run(["ssh-keygen", "-H", "-f", tmp_path / "known"], capture_output=True, check=True)
                    line = (tmp_path / "known").read_text()
                assert (why_not_known(line, "known", host, port) == "") is is_known, line
                if not one.startswith("@"):
                    known = [of_ssh_keygen(tmp_path, line, called) for called in {name, host}]
                    assert any(known) is is_known, line


@pytest.mark.parametrize(("passphrase", "is_well"), [("", True), ("a passphrase", False)])
@pytest.mark.parametrize("form", ["-t ed25519", "-t rsa -b 1024 -m PEM", "-t ecdsa -m PKCS8"])
def test_a_key_is_judged_by_what_ssh_keygen_makes(tmp_path: Path, form: str, passphrase: str, is_well: bool) -> None:
    command = ["ssh-keygen", "-q", *form.split(), "-N", passphrase, "-f", str(tmp_path / "key")]
    subprocess.run(command, check=True)

    assert (why_no_private_key((tmp_path / "key").read_text(), "key") == "") is is_well
    assert "is a public key" in why_no_private_key((tmp_path / "key.pub").read_text(), "key.pub")
