"""The authorities whose certificates are accepted: also one that was made as such are made."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from orchestrator.notices import courier
from orchestrator.sources import certificates

NAME = "registry.internal"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder with an authority `ca.pem` without the extension keyUsage, and a certificate of it."""
    (tmp_path / "bare.cnf").write_text(
        "[req]\ndistinguished_name = dn\nx509_extensions = ca\n[dn]\n[ca]\nbasicConstraints = critical, CA:TRUE\n"
    )
    (tmp_path / "san.cnf").write_text(f"subjectAltName = DNS:{NAME}\n")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    for command in (
        ("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ours", "-config", "bare.cnf"),
        ("req", *key, "-keyout", "s.key", "-out", "s.csr", "-subj", f"/CN={NAME}"),
        ("x509", "-req", "-in", "s.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "s.pem",
         "-extfile", "san.cnf"),
    ):  # fmt: skip
        subprocess.run(("openssl", *command), cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def as_python_3_13(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its contexts are strict; those of the Python that runs the tests may not be."""
    create = ssl.create_default_context

    def strict(**given: str | None) -> ssl.SSLContext:
        context = create(cafile=given.get("cafile"), capath=given.get("capath"))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)


def shake_hands(client_context: ssl.SSLContext, folder: Path) -> None:
    """Without a network. Raises ssl.SSLCertVerificationError."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(folder / "s.pem", folder / "s.key")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=NAME)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue


def test_an_authority_made_by_openssl_is_accepted_as_by_git_and_docker(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.13, as the orchestrator's image has it, said: CA cert does not include key usage extension."""
    as_python_3_13(monkeypatch)
    with pytest.raises(ssl.SSLCertVerificationError, match="key usage"):
        shake_hands(ssl.create_default_context(cafile=str(made / "ca.pem")), made)
    monkeypatch.setenv("SSL_CERT_FILE", str(made / "ca.pem"))

    shake_hands(certificates.authorities(), made)


def test_a_certificate_of_another_authority_is_refused(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)

    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(certificates.authorities(), made)


def test_without_a_file_the_authorities_are_those_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """They were those of a package of Python."""
    asked, create = list[dict[str, str | None]](), ssl.create_default_context

    def noted(**given: str | None) -> ssl.SSLContext:
        asked.append(given)
        return create()

    monkeypatch.setattr(ssl, "create_default_context", noted)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    certificates._authorities.cache_clear()

    certificates.authorities()

    assert asked == [{"cafile": None, "capath": None}]


def test_services_of_notices_have_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/source/secrets/ca.pem")
    assert courier._environment()["REQUESTS_CA_BUNDLE"] == "/source/secrets/ca.pem"

    monkeypatch.delenv("SSL_CERT_FILE")
    assert "REQUESTS_CA_BUNDLE" not in courier._environment()
