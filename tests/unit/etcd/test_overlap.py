"""The overlap: which listeners clients find over https beside http, and which of them stay."""

from dataclasses import replace
from pathlib import Path

import pytest
from engine.world import make_cluster
from support.targets import target

from orchestrator.etcd import overlap, stages
from orchestrator.plan.facts import Target
from orchestrator.plan.model import Clients

LISTEN, ADVERTISE = "ETCD_LISTEN_CLIENT_URLS", "ETCD_ADVERTISE_CLIENT_URLS"
WIDE = {LISTEN: "http://0.0.0.0:2379", ADVERTISE: "http://198.18.0.101:2379"}
# version, found, listeners while both are served, at the end, and where clients find https
CASES = {
    "one port from 3.5 on": (
        "3.5.30",
        WIDE,
        "http://0.0.0.0:2379,https://0.0.0.0:2379",
        "https://0.0.0.0:2379",
        "https://198.18.0.101:2379",
    ),
    "a port of its own below": (
        "3.4.23",
        WIDE,
        "http://0.0.0.0:2379,https://0.0.0.0:2378",
        "https://0.0.0.0:2379,https://0.0.0.0:2378",
        "https://198.18.0.101:2378",
    ),
    "the local port stays http alone": (
        "3.5.30",
        {**WIDE, LISTEN: "http://0.0.0.0:2379,http://127.0.0.1:4001"},
        "http://0.0.0.0:2379,http://127.0.0.1:4001,https://0.0.0.0:2379",
        "https://0.0.0.0:2379,http://127.0.0.1:4001",
        "https://198.18.0.101:2379",
    ),
    "several addresses, IPv6": (
        "3.4.23",
        {
            LISTEN: "http://[2001:db8::1]:2379,http://127.0.0.1:2379",
            ADVERTISE: "http://[2001:db8::1]:2379,http://etcd1.corp.example:2379",
        },
        "http://[2001:db8::1]:2379,http://127.0.0.1:2379,https://[2001:db8::1]:2378,https://127.0.0.1:2378",
        "https://[2001:db8::1]:2379,https://127.0.0.1:2379,https://[2001:db8::1]:2378,https://127.0.0.1:2378",
        "https://[2001:db8::1]:2378,https://etcd1.corp.example:2378",
    ),
    "two ports of one address share the one for https": (
        "3.4.23",
        {LISTEN: "http://10.0.0.1:2379,http://10.0.0.1:4002", ADVERTISE: "http://10.0.0.1:2379"},
        "http://10.0.0.1:2379,http://10.0.0.1:4002,https://10.0.0.1:2378",
        "https://10.0.0.1:2379,https://10.0.0.1:4002,https://10.0.0.1:2378",
        "https://10.0.0.1:2378",
    ),
    "who takes every address takes it alone": (
        "3.4.23",
        {
            LISTEN: "http://0.0.0.0:2379,http://10.0.0.1:2381,http://127.0.0.1:5001",
            ADVERTISE: "http://10.0.0.1:2379",
        },
        "http://0.0.0.0:2379,http://10.0.0.1:2381,http://127.0.0.1:5001,https://0.0.0.0:2378",
        "https://0.0.0.0:2379,https://10.0.0.1:2381,https://127.0.0.1:5001,https://0.0.0.0:2378",
        "https://10.0.0.1:2378",
    ),
    "loopback by its name and its address is one": (
        "3.4.23",
        {LISTEN: "http://localhost:2379,http://127.0.0.1:5001", ADVERTISE: "http://localhost:2379"},
        "http://localhost:2379,http://127.0.0.1:5001,https://127.0.0.1:2378",
        "https://localhost:2379,https://127.0.0.1:5001,https://127.0.0.1:2378",
        "https://localhost:2378",
    ),
    "https beside it already": (
        "3.5.30",
        {**WIDE, LISTEN: "http://0.0.0.0:2379,https://0.0.0.0:2379"},
        None,
        "https://0.0.0.0:2379",
        None,
    ),
}


def overlapping(folder: Path, found: dict[str, str], version: str, **clients: object) -> Target:
    cluster = make_cluster(folder, local="auto").model_copy(
        update={"clients": Clients.model_validate(clients)}
    )
    one = target(folder, found, cluster)
    members = {name: each.model_copy(update={"version": version}) for name, each in one.facts.members.items()}
    return replace(one, facts=one.facts.model_copy(update={"members": members, "overlaps": True}))


@pytest.mark.parametrize(("version", "found", "both", "end", "served"), CASES.values(), ids=CASES)
def test_https_stands_beside_http_and_only_http_goes(
    tmp_path: Path, version: str, found: dict[str, str], both: str | None, end: str, served: str | None
) -> None:
    one = overlapping(tmp_path, found, version)
    assert both == overlap.listeners(one).get(LISTEN)
    assert end == stages.tls_listeners(one)[LISTEN]
    assert (served.split(",") if served else []) == list(overlap.served(one))


def test_without_an_overlap_nothing_is_opened(tmp_path: Path) -> None:
    one = target(tmp_path, WIDE)
    assert {} == overlap.listeners(one)
    assert () == overlap.served(one)


def test_one_older_member_has_all_of_them_use_a_port_of_its_own(tmp_path: Path) -> None:
    one = overlapping(tmp_path, WIDE, "3.5.30", extra_port=2399)
    older = one.facts.members["server3"].model_copy(update={"version": "3.4.23"})
    members = {**one.facts.members, "server3": older}
    mixed = replace(one, facts=one.facts.model_copy(update={"members": members}))
    assert ("https://198.18.0.101:2399",) == overlap.served(mixed)


def test_a_member_that_says_nothing_of_its_listeners_is_given_what_it_advertises_too(tmp_path: Path) -> None:
    one = overlapping(tmp_path, {}, "3.5.30")
    settings = overlap.listeners(one)
    assert "http://localhost:2379,https://localhost:2379" == settings[LISTEN]
    assert "http://localhost:2379,https://localhost:2379" == settings[ADVERTISE]


@pytest.mark.parametrize(
    ("version", "both", "end"),
    [
        ("3.5.30", "http://198.18.0.101:2379,https://198.18.0.101:2379", "https://198.18.0.101:2379"),
        (
            "3.4.23",
            "http://198.18.0.101:2379,https://198.18.0.101:2378",
            "https://198.18.0.101:2379,https://198.18.0.101:2378",
        ),
    ],
)
def test_clients_that_follow_the_members_list_find_both(
    tmp_path: Path, version: str, both: str, end: str
) -> None:
    one = overlapping(tmp_path, WIDE, version)
    assert both == overlap.listeners(one)[ADVERTISE]
    assert end == stages.tls_listeners(one)[ADVERTISE]


@pytest.mark.parametrize(("cert_auth", "asked"), [("accept", True), ("switch", False)])
def test_a_certificate_is_asked_for_at_the_first_restart_or_the_last(
    tmp_path: Path, cert_auth: str, *, asked: bool
) -> None:
    one = overlapping(tmp_path, WIDE, "3.5.30", cert_auth=cert_auth)
    names = {"ETCD_TRUSTED_CA_FILE", "ETCD_CLIENT_CERT_AUTH"}
    assert asked == (names <= stages.certificates(one).keys())
    assert asked != (names <= stages.tls_listeners(one).keys())
    assert names.isdisjoint(stages.certificates(one)) != asked
