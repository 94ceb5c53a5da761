"""Whatever a plan file holds: it loads, or its faults are told one a line, and nothing else happens."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.fuzzing import EXAMPLES

from orchestrator.errors import PlanInvalidError
from orchestrator.plan.loading import load
from orchestrator.plan.model import EtcdHost, Host

PLANS = Path(__file__).parents[2] / "plans"
WHOLE: dict[str, Any] = {
    "cluster": "c",
    "members": [
        {"name": "a", "address": "10.0.0.1", "service": "etcd@a", "certificate": "x", "key": "y"},
        {"name": "b", "address": "10.0.0.2", "ssh": {"host": "h", "port": 22, "user": "u", "become": "sudo"}},
        {"name": "c", "address": "2001:db8::1", "ssh": {"identity_file": "id", "known_hosts": "~/kh"}},
    ],
    "proxies": [{"name": "p", "address": "p.example.com"}],
    "tls": {
        "ca": "ca.pem",
        "certificate": "{name}.pem",
        "key": "{name}.key",
        "client_certificate": "client.pem",
        "client_key": "client.key",
        "directory": "/etc/etcd",
        "client_cert_auth": True,
        "peer_cert_auth": True,
        "trust": "files",
    },
    "service": "etcd",
    "strategy": "bridge",
    "api": "auto",
    "accept_downtime": False,
    "compare_data": False,
    "ssh": {"user": "root", "port": 22, "identity_file": "id", "known_hosts": "kh", "become": "none"},
    "ports": {"client": 1, "peer": 2, "local": 3, "trial": 4},
    "patience": {"gate": "90s", "pause": "1ms"},
    "watch": {"units": ["fleet"], "quiet": "1s", "errors": "error"},
}
SEEDS = [
    *(path.read_bytes() for path in sorted(PLANS.glob("*.yaml"))),
    json.dumps(WHOLE, indent=1).encode(),
]
LINE = re.compile(r"\S+plan\.yaml:[1-9]\d*:[1-9]\d*: \S[^\n]*: [^\n]+")

PIECES = st.one_of(
    st.binary(max_size=8),
    st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([
        b"&a ", b"*a", b"<<: ", b"!!int ", b"!x ", b"---\n", b"...\n", b"%YAML 1.1\n", b"{name}", b"~", b"~/",
        b"? ", b": ", b"- ", b"\t", b"\0", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\r", b"'", b'"', b'"\\ud800"',
        b'"\\x1b[2J"', b"|\n", b">-\n", b"[", b"]", b"{", b"}", b"0x", b"1e999", b".nan", b"null", b"yes",
    ]),
)  # fmt: skip
WORDS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([
        "a", "ca", "10.0.0.1", "10.0.0.2", "::ffff:10.0.0.1", "0", "{name}", "{name", "~", "~/x", "~root/x",
        "/", "/run", "../..", "90s", "1e9s", "0.000000001ms", "(", "(a+)+", "a|", "x{9999999999}", "bridge",
        "etcd.service", "etcd@", "-x", "a" * 300, "a.b.", "fe80::1%eth0", "\x1b]0;x\x07", "\u202e", "\n",
    ]),
)  # fmt: skip
VALUES = st.recursive(
    WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plans")


MAY_LACK = {"identity_file", "config", "jump", "host_key"}


def reported(folder: Path, content: bytes, *, files: bool) -> None:
    path = folder / "plan.yaml"
    path.write_bytes(content)
    hosts, faults = outcome(path, files=files)
    assert bool(hosts) is not bool(faults)
    assert [] == [line for line in faults if not (LINE.fullmatch(line) and line.isprintable())]
    for host in hosts:
        settings = host.model_dump() | host.ssh.model_dump()
        assert [] == [name for name, value in settings.items() if value is None and name not in MAY_LACK]
        own = (host.certificate, host.key) if isinstance(host, EtcdHost) else ()
        assert all(each.is_absolute() for each in (*own, host.ssh.known_hosts))


def outcome(path: Path, *, files: bool) -> tuple[tuple[Host, ...], tuple[str, ...]]:
    try:
        return load(path, {"bridge", "guide"}, files=files).cluster.hosts, ()
    except PlanInvalidError as error:
        return (), error.faults


@given(content=st.binary(max_size=200), files=st.booleans())
@settings(max_examples=EXAMPLES, deadline=None)
@example(content=b'a: "\\UFFFFFFFF"', files=False)
@example(content=b"a: &a [*a]", files=False)
@example(content=b"watch: {errors: 'x{99999999999}'}", files=False)
@example(content=b"ports: {client: 0o9, peer: " + b"9" * 5000 + b"}", files=False)
@example(content=b'"\\x1b]0;x\\a": "\\u202e"', files=False)
def test_any_bytes_are_a_plan_or_its_faults(folder: Path, content: bytes, *, files: bool) -> None:
    reported(folder, content, files=files)


@given(data=st.data(), seed=st.sampled_from(SEEDS), files=st.booleans())
@settings(max_examples=3 * EXAMPLES, deadline=None)
def test_a_damaged_plan_is_a_plan_or_its_faults(
    folder: Path, data: st.DataObject, seed: bytes, *, files: bool
) -> None:
    content = seed
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = min(len(content), start + data.draw(st.integers(0, 30)))
        content = content[:start] + data.draw(PIECES) + content[end:]
    reported(folder, content, files=files)


def places(part: object, loc: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return [loc, *(place for key, value in inner for place in places(value, (*loc, key)))]


@given(data=st.data(), files=st.booleans())
@settings(max_examples=3 * EXAMPLES, deadline=None)
def test_a_plan_with_other_values_is_a_plan_or_its_faults(
    folder: Path, data: st.DataObject, *, files: bool
) -> None:
    plan: dict[str, Any] = {"": copy.deepcopy(WHOLE)}
    for _ in range(data.draw(st.integers(1, 5))):
        *above, last = ("", *data.draw(st.sampled_from(places(plan[""]))))
        part: Any = plan
        for step in above:
            part = part[step]
        what = data.draw(st.sampled_from(["exchange", "exchange", "remove", "add"]))
        if what == "exchange":
            part[last] = data.draw(VALUES if len(above) < 2 else WORDS)
        elif what == "remove" and above:
            del part[last]
        elif isinstance(part[last], dict):
            part[last][data.draw(st.text(max_size=6) | st.sampled_from(sorted(WHOLE)))] = data.draw(VALUES)
        elif isinstance(part[last], list):
            part[last].append(data.draw(VALUES))
    reported(folder, json.dumps(plan[""]).encode(), files=files)
