"""Reading PEM files as Go does, with which etcd is built: their blocks, or what the file is instead."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_private_key, pkcs12

from orchestrator.plan.locations import read_plain

CERTIFICATE = "CERTIFICATE"
_MOST_BYTES = 4 * 1024 * 1024
# Go's encoding/pem: a line that begins with BEGIN, and one with END and the same label; blanks may follow.
_BEGIN = re.compile(r"^-----BEGIN (?P<label>[^\r\n]*?)-----[ \t\r]*\n", re.MULTILINE)
_END = re.compile(r"^-----END (?P<label>[^\r\n]*?)-----[ \t\r]*$", re.MULTILINE)


class PemError(ValueError):
    """A file that holds no PEM block: what it is instead, and the command that makes one of it."""

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(what)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Block:
    """One block: its label, e.g. ``CERTIFICATE``, the line where it begins, and its text, LF at line ends."""

    label: str
    line: int
    text: str

    @property
    def is_private(self) -> bool:
        """Whether it holds a private key, of whatever kind."""
        return self.label.endswith("PRIVATE KEY")


def blocks(path: Path) -> tuple[Block, ...]:
    """Return the blocks of a file, at least one; raises PemError, or OSError if it cannot be read."""
    raw = read_plain(path, _MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise PemError(f"is larger than {_MOST_BYTES // 1024 // 1024} MiB: no certificate and no key is")
    text = raw.decode("latin-1")  # any byte may stand around a block, and Go does not mind
    found = tuple(_found(text))
    strange = _strange(path, raw)
    if strange is not None or not found:
        raise strange or PemError("holds nothing in PEM form, which begins with a line '-----BEGIN ...'")
    return found


def certificates(path: Path) -> str:
    """Return the text of a file's CERTIFICATE blocks, and nothing else of it: anybody may read that.

    Headers in a block (RFC 1421) may say anything, and Go takes no CA from a block that has some.
    """
    return "".join(_without_headers(block.text) for block in blocks(path) if block.label == CERTIFICATE)


def _found(text: str) -> Iterator[Block]:
    """Yield the blocks of a text, looking at each of its lines once: a file of beginnings has no end."""
    ends: dict[str, deque[re.Match[str]]] = {}
    for end in _END.finditer(text):
        ends.setdefault(end["label"], deque()).append(end)
    line, place = 1, 0
    for begin in _BEGIN.finditer(text):
        mine = ends.get(begin["label"], deque())
        while mine and mine[0].start() < begin.end():
            mine.popleft()
        if begin.start() < place or not mine:
            continue
        line += text.count("\n", place, begin.start())
        yield Block(begin["label"], line, _plain(text[begin.start() : mine[0].end()]))
        line += text.count("\n", begin.start(), mine[0].end())
        place = mine[0].end()


def _plain(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.split("\n"))


def _without_headers(text: str) -> str:
    begin, _, rest = text.partition("\n")
    headers, blank, body = rest.partition("\n\n")
    return f"{begin}\n{body.lstrip()}" if blank and ":" in headers else text


def _strange(path: Path, raw: bytes) -> PemError | None:
    """Say what a file is that Go finds no block in, or not the first one."""
    name = quote(str(path))
    if not raw.strip():
        return PemError("is empty")
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0-\0-\0" in raw[:200]:
        return PemError("is UTF-16 text", f"iconv -f UTF-16 -t UTF-8 {name} > NEW, and name NEW in the plan")
    if raw.startswith(b"\xef\xbb\xbf-"):
        return PemError(
            "begins with a byte order mark, behind which Go finds no PEM",
            f"sed -i '1s/^\\xEF\\xBB\\xBF//' {name}",
        )
    if re.search(rb"^[ \t]+-----BEGIN", raw, re.MULTILINE):
        return PemError(
            "has blanks before '-----BEGIN', and Go finds no PEM there", f"sed -i 's/^[ \\t]*//' {name}"
        )
    return _binary(raw, name) if raw[:1] == b"\x30" else None


def _binary(raw: bytes, name: str) -> PemError | None:
    """Say which kind of DER a file is."""
    try:
        x509.load_der_x509_certificate(raw)
    except ValueError:
        pass
    else:
        return PemError("is a certificate in DER form", f"openssl x509 -inform DER -in {name} -out NEW.pem")
    try:
        load_der_private_key(raw, password=None)
    except (TypeError, ValueError):
        pass
    else:
        return PemError("is a private key in DER form", f"openssl pkey -inform DER -in {name} -out NEW.pem")
    try:
        pkcs12.load_pkcs12(raw, None)
    except ValueError as error:
        if "password" not in str(error).lower():
            return PemError("is binary, and neither a certificate nor a key nor PKCS #12")
    return PemError(
        "is a PKCS #12 file",
        f"openssl pkcs12 -in {name} -nokeys -out CERTIFICATE.pem; "
        f"openssl pkcs12 -in {name} -nocerts -nodes -out KEY.pem",
    )
