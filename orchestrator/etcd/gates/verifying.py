"""The guide's own verification: etcdctl with certificates, given by flags and by environment variables."""

from collections.abc import Iterable, Mapping

from orchestrator.etcd import settings
from orchestrator.etcd.asking import always_holds, gate
from orchestrator.etcd.facts import ca_store
from orchestrator.host.checks import Check, Remark, wrong
from orchestrator.host.questions import Answer, Answers, Fact, Script
from orchestrator.plan.facts import Subject

# The words of the two interfaces for CA, certificate and key. $1 url, $2 CA, $3 certificate, $4 key.
# First with flags, then with variables; both must list the member.
SCRIPTS: Mapping[str, str] = {
    "v3": """
export ETCDCTL_API=3
limits='--dial-timeout=2s --command-timeout=4s'
etcdctl $limits --endpoints="$1" --cacert="$2" --cert="$3" --key="$4" member list || exit 1
echo --
export ETCDCTL_ENDPOINTS="$1" ETCDCTL_CACERT="$2" ETCDCTL_CERT="$3" ETCDCTL_KEY="$4"
etcdctl $limits member list
""",
    "v2": """
export ETCDCTL_API=2
etcdctl --endpoints="$1" --ca-file="$2" --cert-file="$3" --key-file="$4" member list || exit 1
echo --
export ETCDCTL_ENDPOINTS="$1" ETCDCTL_ENDPOINT="$1"
export ETCDCTL_CA_FILE="$2" ETCDCTL_CERT_FILE="$3" ETCDCTL_KEY_FILE="$4"
etcdctl member list
""",
}


@gate
def listed_by_etcdctl_with_certificates(subject: Subject) -> Check:
    """On the member's host etcdctl lists it over https, with certificates by flags and by variables."""
    paths = settings.Paths.of(subject)
    material = (paths.ca, paths.certificate, paths.key)
    script = SCRIPTS[subject.facts.api]

    def unlisted(answer: Answer) -> str | None:
        """Why not; v2's exit status says nothing: what counts is that the member is listed, both times."""
        is_listed = answer.exit_status == 0 and answer.text.count(subject.member.id) >= 2
        return None if is_listed else answer.reason

    facts = {
        url: Fact(Script(subject.name, script, (url, *material), timeout_s=8.0), unlisted)
        for url in settings.advertised_clients(subject)
    }

    def judge(answers: Answers) -> Iterable[Remark]:
        for url, fact in facts.items():
            reason = fact.read(answers)
            if reason is not None:
                yield wrong(f"{url}: {reason}")

    return Check(subject.name, tuple(facts.values()), judge)


@gate
def trusting_the_ca(subject: Subject) -> Check:
    """The host's trust store holds the CA, unless the plan says that files are enough."""
    bundle = ca_store.bundle(subject)
    if bundle is None:
        return always_holds(subject)

    def judge(answers: Answers) -> Iterable[Remark]:
        found = bundle.read(answers)
        if not found.is_trusting:
            yield wrong(f"the bundle {found.path} does not hold the CA: {found.last_words}")

    return Check(subject.name, (bundle,), judge)
