"""URLs from hosts and state files: what is taken for one can be used as one, in every setting."""

from pathlib import Path
from urllib.parse import urlsplit

from engine.world import make_cluster
from hypothesis import HealthCheck, example, given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from pydantic import ValidationError
from support.fuzzing import EXAMPLES

from orchestrator.etcd import install, settings, stages, trial
from orchestrator.plan import foreign
from orchestrator.plan.facts import Facts, MemberFacts, Target

HOSTS = st.sampled_from(
    ["198.18.0.101", "a.example", "[::1]", "[::]", "[::::]", "[fe80::1%25eth0]", "", "localhost"]
)
URL = st.one_of(
    st.builds(
        "{}://{}{}{}".format,
        st.sampled_from(["http", "https", "unix", "unixs", "ftp", ""]),
        HOSTS,
        st.sampled_from(["", ":", ":0", ":1", ":2379", ":4001", ":65535", ":65536", ":99999", ":x"]),
        st.sampled_from(["", "/", "/x", "?", "#", " "]),
    ),
    st.text(st.sampled_from("htps:/[]%@.,0123456789abx \n"), max_size=20),
)  # fmt: skip
VALUE = st.lists(URL, max_size=3).map(",".join)


@bounded(max_examples=EXAMPLES * 3, deadline=None)
@given(URL)
@example("http://[::::]:1")
@example("http://a:99999")
@example("http://a")
def test_what_is_a_url_has_a_host_and_a_port(text: str) -> None:
    try:
        foreign.url(text)
    except ValueError:
        return
    parts = urlsplit(text)
    assert parts.hostname
    assert parts.port or parts.scheme in {"unix", "unixs"}


@bounded(
    max_examples=EXAMPLES * 3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.tuples(VALUE, VALUE, VALUE))
@example((",", ",", ","))
@example(("http://[::::]:1", "", ""))
def test_facts_that_are_taken_make_settings(tmp_path: Path, values: tuple[str, str, str]) -> None:
    names = (settings.LISTEN_CLIENT, settings.LISTEN_PEER, settings.ADVERTISE_CLIENT)
    plain = {"id": "a1", "name": "etcd-1", "version": "3.4.23", "user": "etcd", "group": "etcd"}
    found = {
        **plain,
        "peer_urls": ("http://198.18.0.101:2380",),
        "environment": dict(zip(names, values, strict=True)),
    }
    try:
        facts = MemberFacts.model_validate(found)
    except ValidationError:
        return
    cluster = make_cluster(tmp_path)
    members = {member.name: facts for member in cluster.members}
    member = Target(cluster, Facts(cluster_id="c1", members=members), cluster.members[0])
    assert settings.original_url(member)
    assert trial.urls(member)
    for file in install.of(member).files(stages.LOCAL_PORT, stages.HTTPS):
        assert file.text.startswith("[Service]\n")
