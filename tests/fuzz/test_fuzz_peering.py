"""Whatever etcd has registered, the command that is printed is the words that are meant, or there is none."""

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fuzzing import EXAMPLES
from support.targets import target

from orchestrator.etcd.api import APIS
from orchestrator.etcd.endpoints import Endpoint
from orchestrator.etcd.facts import peering

TEXTS = st.text(max_size=30) | st.from_regex(r"https?://[a-z.\[\]:]{0,9}(:[0-9]{0,6})?", fullmatch=True)


@given(TEXTS, st.lists(TEXTS, max_size=3), TEXTS)
@settings(max_examples=EXAMPLES, deadline=None)
def test_no_registered_text_gets_out_of_its_word(
    tmp_path_factory: pytest.TempPathFactory, id_: str, urls: list[str], listen: str
) -> None:
    member = target(tmp_path_factory.getbasetemp(), {})
    environment = {"ETCD_LISTEN_PEER_URLS": listen, "ETCD_LISTEN_CLIENT_URLS": "http://127.0.0.1:2379"}
    for api in APIS.values():
        try:
            command = peering.command(member, api, id_, tuple(urls), environment)
            run = api.update_peers(id_, peering.spoken(urls, environment), Endpoint("http://127.0.0.1:2379"))
        except ValueError:
            continue
        assert [*(f"{name}={value}" for name, value in run.environment), *run.argv] == shlex.split(command)
