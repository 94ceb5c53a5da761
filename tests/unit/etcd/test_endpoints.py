"""Through which listener a member is driven: its local port, its http listener, or over https."""

from pathlib import Path
from typing import Literal

import pytest
from engine.world import make_cluster
from support.targets import target

from orchestrator.etcd import endpoints
from orchestrator.etcd.endpoints import Endpoint
from orchestrator.etcd.settings import Paths

PATHS = Paths("/etc/etcd2", "server1")
URL = "https://198.18.0.101:2379"
FOUND = {
    "ETCD_LISTEN_CLIENT_URLS": "http://0.0.0.0:2379",
    "ETCD_ADVERTISE_CLIENT_URLS": "http://198.18.0.101:2379",
}


@pytest.mark.parametrize(
    ("local", "before", "after"),
    [
        (4001, "http://127.0.0.1:4001", "http://127.0.0.1:4001"),
        ("none", "http://127.0.0.1:2379", URL),
        ("auto", "http://127.0.0.1:2379", URL),
    ],
)
def test_a_member_is_driven_through_what_listens_then(
    tmp_path: Path, local: int | Literal["auto", "none"], before: str, after: str
) -> None:
    member = target(tmp_path, FOUND, make_cluster(tmp_path, local=local))
    assert (before, "") == (
        endpoints.before_switch(member).url,
        " ".join(endpoints.before_switch(member).curl),
    )
    assert after == endpoints.after_switch(member).url
    assert after.startswith("https:") == bool(endpoints.after_switch(member).curl)


@pytest.mark.parametrize(
    ("listens", "advertises", "url"),
    [
        ("https://0.0.0.0:2379", URL, URL),
        ("https://198.18.0.101:2379", f"https://lb:2379,{URL}", URL),
        ("https://0.0.0.0:2379", "http://a:1,https://b:2", "https://b:2"),
        ("https://0.0.0.0:2379", "http://a:1", "https://127.0.0.1:2379"),  # whatever comes of that
        ("https://0.0.0.0:2379,http://[::]:2381", URL, "http://[::1]:2381"),
    ],
)
def test_over_https_it_is_asked_by_a_name_that_it_advertises(
    tmp_path: Path, listens: str, advertises: str, url: str
) -> None:
    environment = {"ETCD_LISTEN_CLIENT_URLS": listens, "ETCD_ADVERTISE_CLIENT_URLS": advertises}
    assert url == endpoints.of(target(tmp_path, {}), environment).url


def test_each_tool_has_its_own_words() -> None:
    ca, certificate, key = PATHS.material
    endpoint = Endpoint(URL, PATHS)
    assert ("--cacert", ca, "--cert", certificate, "--key", key) == endpoint.curl
    assert (f"--endpoints={URL}", f"--cacert={ca}", f"--cert={certificate}", f"--key={key}") == endpoint.v3
    v2 = ("--endpoints", URL, "--ca-file", ca, "--cert-file", certificate, "--key-file", key)
    assert v2 == endpoint.v2
    assert ((), (f"--endpoints={URL}",), ("--endpoints", URL)) == (
        Endpoint(URL).curl,
        Endpoint(URL).v3,
        Endpoint(URL).v2,
    )
