"""Kinds of certificates and keys, made with OpenSSL: what Go takes of them is another matter."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

NAMES = "IP:127.0.0.1,DNS:localhost"
GOOD = f"""basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth,clientAuth
subjectAltName={NAMES}
"""
CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
OTHER = "otherName:1.3.6.1.4.1.99999.2;UTF8:x,RID:1.2.3.4"
PERMITTED = "critical,permitted;IP:127.0.0.0/255.0.0.0,permitted;DNS:localhost"
EXCLUDED = "critical,excluded;IP:127.0.0.0/255.0.0.0"
P256 = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")


class Files:
    """A CA, a leaf and its key in a folder: ca.pem, leaf.pem, leaf-key.pem, all of them good at first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca, self.leaf, self.key = folder / "ca.pem", folder / "leaf.pem", folder / "leaf-key.pem"
        self.make_key("ca", *P256)
        self.make_root("ca", CA)
        self.make_leaf()

    def openssl(self, *words: str, text: str = "") -> bytes:
        done = subprocess.run(
            ["openssl", *words], cwd=self.folder, input=text.encode(), capture_output=True, check=False
        )
        assert done.returncode == 0, (words, done.stderr.decode())
        return done.stdout

    def make_key(self, name: str, *how: str) -> None:
        self.openssl("genpkey", *how, "-out", f"{name}-key.pem")

    def make_root(self, name: str, extensions: str, *more: str) -> None:
        self.sign(name, f"{name} CA", extensions, "-signkey", f"{name}-key.pem", *more)

    def make_leaf(
        self, *key: str, extensions: str = GOOD, more: tuple[str, ...] = (), issuer: str = "ca"
    ) -> None:
        """Make the leaf anew; ``more`` are words for openssl x509."""
        self.make_key("leaf", *(key or P256))
        self.sign("leaf", "leaf", extensions, "-CA", f"{issuer}.pem", "-CAkey", f"{issuer}-key.pem", *more)

    def sign(self, name: str, target: str, extensions: str, *how: str) -> None:
        self.openssl(
            "req", "-new", "-key", f"{name}-key.pem", "-subj", f"/CN={target}", "-out", "request.pem"
        )
        (self.folder / "extensions").write_text(extensions)
        dated = () if "-days" in how else ("-days", "30")
        serial = () if "-set_serial" in how or "-signkey" in how else ("-set_serial", "77")
        extended = ("-extfile", "extensions") if extensions else ()
        self.openssl(
            "x509", "-req", "-in", "request.pem", *how, *dated, *serial, *extended, "-out", f"{name}.pem"
        )

    def change(self, path: Path, change: Callable[[bytes], bytes]) -> None:
        path.write_bytes(change(path.read_bytes()))


def _rsa(bits: int) -> Callable[[Files], None]:
    return lambda it: it.make_leaf("-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}")


def _curve(name: str, *more: str) -> Callable[[Files], None]:
    return lambda it: it.make_leaf("-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{name}", *more)


def _signed(*digest: str) -> Callable[[Files], None]:
    return lambda it: it.make_leaf(more=digest)


def _with(extensions: str) -> Callable[[Files], None]:
    return lambda it: it.make_leaf(extensions=extensions)


def _also(line: str) -> Callable[[Files], None]:
    return _with(GOOD + line + "\n")


def _bom(name: str) -> Callable[[Files], None]:
    return lambda it: it.change(it.folder / name, lambda raw: b"\xef\xbb\xbf" + raw)


def _everywhere(change: Callable[[bytes], bytes]) -> Callable[[Files], None]:
    def do(it: Files) -> None:
        for path in (it.ca, it.leaf, it.key):
            it.change(path, change)

    return do


def _v1_root(it: Files) -> None:
    it.make_root("ca", "")
    it.make_leaf()


def _v1_leaf(it: Files) -> None:
    it.make_leaf(extensions="")


def _rsa_root(*digest: str) -> Callable[[Files], None]:
    def do(it: Files) -> None:
        it.make_key("ca", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        it.make_root("ca", CA, *digest)
        it.make_leaf()

    return do


def _md5(it: Files) -> None:
    _rsa_root()(it)
    it.make_leaf(more=("-md5",))


def _traditional(it: Files) -> None:
    it.make_leaf("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    it.change(it.key, lambda raw: raw.replace(b" PRIVATE KEY", b" RSA PRIVATE KEY"))


def _sec1(it: Files) -> None:
    it.openssl("ecparam", "-name", "prime256v1", "-genkey", "-out", "leaf-key.pem")
    it.sign("leaf", "leaf", GOOD, "-CA", "ca.pem", "-CAkey", "ca-key.pem")


def _encrypted(it: Files) -> None:
    it.openssl("pkey", "-in", "leaf-key.pem", "-aes256", "-passout", "pass:x", "-out", "locked.pem")
    (it.folder / "locked.pem").replace(it.key)


def _der(path: str) -> Callable[[Files], None]:
    def do(it: Files) -> None:
        kind = "pkey" if "key" in path else "x509"
        (it.folder / path).write_bytes(it.openssl(kind, "-in", path, "-outform", "DER"))

    return do


def _pkcs12(it: Files) -> None:
    words = ("-export", "-in", "leaf.pem", "-inkey", "leaf-key.pem", "-passout", "pass:", "-out", "leaf.p12")
    it.openssl("pkcs12", *words)
    (it.folder / "leaf.p12").replace(it.leaf)


def _key_behind(path: str) -> Callable[[Files], None]:
    key = "ca-key.pem" if path == "ca.pem" else "leaf-key.pem"
    return lambda it: it.change(it.folder / path, lambda raw: raw + (it.folder / key).read_bytes())


def _intermediate(root: str, below: str, *more: str) -> Callable[[Files], None]:
    def do(it: Files) -> None:
        it.make_root("ca", root)
        it.make_key("between", *P256)
        it.sign("between", "between CA", below, "-CA", "ca.pem", "-CAkey", "ca-key.pem", *more)
        it.make_leaf(issuer="between")
        it.change(it.leaf, lambda raw: raw + (it.folder / "between.pem").read_bytes())

    return do


def _missing_intermediate(it: Files) -> None:
    _intermediate(CA, CA)(it)
    it.change(it.leaf, lambda raw: raw[: raw.index(b"-----END CERTIFICATE-----\n") + 26])


def _relabelled(label: bytes) -> Callable[[Files], None]:
    return lambda it: it.change(it.leaf, lambda raw: raw.replace(b" CERTIFICATE", b" " + label))


KINDS: Mapping[str, Callable[[Files], None]] = {
    "good": lambda _: None,
    "RSA 2048": _rsa(2048),
    "RSA 1024": _rsa(1024),
    "RSA 512": _rsa(512),
    "EC P-384": _curve("P-384"),
    "EC P-521": _curve("P-521"),
    "EC P-224": _curve("P-224"),
    "EC secp256k1": _curve("secp256k1"),
    "EC brainpoolP256r1": _curve("brainpoolP256r1"),
    "EC explicit parameters": _curve("P-256", "-pkeyopt", "ec_param_enc:explicit"),
    "Ed25519": lambda it: it.make_leaf("-algorithm", "ED25519"),
    "Ed448": lambda it: it.make_leaf("-algorithm", "ED448"),
    "signed with SHA-1": _signed("-sha1"),
    "signed with MD5": _md5,
    "signed with SHA-512": _signed("-sha512"),
    "root signed with SHA-1": _rsa_root("-sha1"),
    "v1 root": _v1_root,
    "v1 leaf": _v1_leaf,
    "no usages at all": _with(f"subjectAltName={NAMES}\n"),
    "CN only": _with(GOOD.replace(f"subjectAltName={NAMES}\n", "")),
    "IP written as DNS": _with(GOOD.replace(NAMES, "DNS:127.0.0.1,DNS:localhost")),
    "unknown critical extension": _also("1.3.6.1.4.1.99999.1=critical,ASN1:UTF8String:x"),
    "unknown extension": _also("1.3.6.1.4.1.99999.1=ASN1:UTF8String:x"),
    "another kind of name too": _with(GOOD.replace(NAMES, f"{NAMES},{OTHER}")),
    "leaf that says CA:TRUE": _with(GOOD.replace("CA:FALSE", "CA:TRUE")),
    "key usage without signatures": _with(GOOD.replace("digitalSignature,", "")),
    "any extended usage": _with(GOOD.replace("serverAuth,clientAuth", "anyExtendedKeyUsage")),
    "negative serial": _signed("-set_serial", "-7"),
    "intermediate": _intermediate(CA, CA),
    "intermediate below a root with pathlen 0": _intermediate(CA.replace("CA:TRUE", "CA:TRUE,pathlen:0"), CA),
    "intermediate for servers only": _intermediate(CA, CA + "extendedKeyUsage=serverAuth\n"),
    "intermediate that is no CA": _intermediate(CA, CA.replace("CA:TRUE", "CA:FALSE")),
    "missing intermediate": _missing_intermediate,
    "CA with a name constraint that fits": _intermediate(CA, f"{CA}nameConstraints={PERMITTED}\n"),
    "CA with a name constraint that excludes": _intermediate(CA, f"{CA}nameConstraints={EXCLUDED}\n"),
    "byte order mark in the CA file": _bom("ca.pem"),
    "byte order mark in the certificate file": _bom("leaf.pem"),
    "byte order mark in the key file": _bom("leaf-key.pem"),
    "CRLF": _everywhere(lambda raw: raw.replace(b"\n", b"\r\n")),
    "text before and behind, in Latin-1": _everywhere(lambda raw: b"f\xfcr uns\n" + raw + b"\xa9\n"),
    "blanks before BEGIN": _everywhere(lambda raw: b"  " + raw),
    "UTF-16": _everywhere(lambda raw: raw.decode().encode("utf-16")),
    "DER certificate": _der("leaf.pem"),
    "DER key": _der("leaf-key.pem"),
    "DER CA": _der("ca.pem"),
    "PKCS #12": _pkcs12,
    "encrypted key": _encrypted,
    "RSA PRIVATE KEY over PKCS #8": _traditional,
    "EC PARAMETERS before the key": _sec1,
    "certificate and key in one file": lambda it: it.change(it.key, lambda raw: it.leaf.read_bytes() + raw),
    "key behind the certificate": _key_behind("leaf.pem"),
    "key behind the CA": _key_behind("ca.pem"),
    "labelled TRUSTED CERTIFICATE": _relabelled(b"TRUSTED CERTIFICATE"),
    "labelled X509 CERTIFICATE": _relabelled(b"X509 CERTIFICATE"),
}  # fmt: skip


def make(kind: str, folder: Path) -> Files:
    """Make the files of a kind in a folder."""
    files = Files(folder)
    KINDS[kind](files)
    return files
