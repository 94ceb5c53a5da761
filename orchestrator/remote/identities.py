"""Identity files: the private keys that they hold, and what can be read of one that is encrypted."""

import base64
import re
from pathlib import Path

import paramiko

from orchestrator.plan.locations import read_plain

_OPENSSH = re.compile(
    rb"-----BEGIN OPENSSH PRIVATE KEY-----\s(.*?)\s-----END OPENSSH PRIVATE KEY-----", re.DOTALL
)
_MAX_BYTES = 1 << 16
_MAGIC = b"openssh-key-v1\0"


class UnusableError(Exception):
    """The file holds no key that can be used; says why."""


class EncryptedError(UnusableError):
    """The file holds a key for which a passphrase is needed."""


def read_key(path: Path, passphrase: str | None = None) -> paramiko.PKey:
    """Return the private key, with the certificate beside it (``PATH-cert.pub``) if there is one."""
    if path.exists() and not path.is_file():  # a pipe would let us wait for ever
        raise UnusableError("is not a regular file")
    try:
        # the type stubs want text, and cryptography bytes
        return paramiko.PKey.from_path(path, passphrase.encode() if passphrase else None)  # type: ignore[arg-type]
    except OSError as error:
        raise UnusableError(f": {error.strerror or error}") from error
    except (TypeError, paramiko.PasswordRequiredException) as error:
        # a TypeError is how the key loader asks for a passphrase
        raise EncryptedError("is encrypted") from error
    except Exception as error:  # whatever a file's bytes raise in paramiko
        raise UnusableError("is not a private key of a supported type (Ed25519, ECDSA, RSA)") from error


def public_blob(path: Path) -> bytes | None:
    """Return the public half of a key that may be encrypted, or None if it cannot be known."""
    try:
        if found := _OPENSSH.search(read_plain(path, _MAX_BYTES)):
            message = paramiko.Message(base64.b64decode(found[1]).removeprefix(_MAGIC))
            for _ in ("cipher", "derivation", "its options"):
                message.get_string()
            message.get_int()
            return message.get_string()
        public = read_plain(path.with_name(f"{path.name}.pub"), _MAX_BYTES)
        return base64.b64decode(public.split()[1])
    except Exception:  # noqa: BLE001 -- whatever a file's bytes raise: it cannot be known
        return None
