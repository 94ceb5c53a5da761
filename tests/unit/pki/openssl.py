"""What OpenSSL, which knows nothing of us, says about files."""

import re
import subprocess
from pathlib import Path


def openssl(*words: str | Path) -> str:
    """Run a command and return what it says, complaints too."""
    argv = ["openssl", *map(str, words)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout


def verified(ca: Path, leaf: Path, *words: str) -> str:
    """Verify a certificate strictly; ``OK`` or the complaint."""
    said = openssl("verify", "-x509_strict", "-check_ss_sig", "-CAfile", ca, *words, leaf)
    return "OK" if said == f"{leaf}: OK\n" else said


def is_pair(certificate: Path, key: Path) -> bool:
    """Whether a key is sound and the certificate's own."""
    assert "Key is valid" in openssl("pkey", "-in", key, "-check", "-noout")
    return openssl("pkey", "-in", key, "-pubout") == openssl("x509", "-in", certificate, "-pubkey", "-noout")


def extension(certificate: Path, name: str) -> str:
    """Return an extension as text, ``critical`` before it if it is; empty if it is not there."""
    text = openssl("x509", "-in", certificate, "-noout", "-text")
    found = re.search(rf"X509v3 {name}: ?(critical)?\s*\n\s*(.*?)\s*\n", text)
    return "" if found is None else " ".join(part for part in found.groups() if part)


def field(certificate: Path, name: str) -> str:
    """Return what ``openssl x509 -subject`` and its like print; versions differ in the blanks around '='."""
    said = openssl("x509", "-in", certificate, "-noout", f"-{name}").partition("=")[2].strip()
    return said.replace(" = ", "=")
