"""etcd's v2 API: keys are paths, values come as forms, and a v2 proxy passes it on."""

from urllib.parse import urlencode

from orchestrator.probe.api import Kept
from orchestrator.probe.failover import Asking, FailoverClient
from orchestrator.probe.http_session import Body, Request

KEYS = "/v2/keys"
MEMBERS = Request("GET", "/v2/members")
FORM = "application/x-www-form-urlencoded"
NO_SUCH_KEY = 404  # with etcd's own error code in JSON: an answer, and not a member's failure


def put(key: str, value: str) -> Request:
    """Write a key."""
    return _put(key, {"value": value})


def get(key: str) -> Request:
    """Read one key, in agreement with a quorum; a key that is not there is an empty answer."""
    return Request("GET", f"{KEYS}{key}?quorum=true", answers=frozenset({200, NO_SUCH_KEY}))


def below(prefix: str, *, quorum: bool) -> Request:
    """Read all keys of a directory, in agreement with a quorum or from the member's own store alone."""
    asked = urlencode({"recursive": "true", "quorum": str(quorum).lower()})
    return Request("GET", f"{KEYS}{prefix}?{asked}", answers=frozenset({200, NO_SUCH_KEY}))


def pairs(answer: Body) -> dict[str, str]:
    """Return the keys and values that were read: one key's, or a directory's."""
    node = answer.get("node", {})
    leaves = node.get("nodes", ()) if node.get("dir") else (node,)
    return {each["key"]: each.get("value", "") for each in leaves if "key" in each}


def hold(key: str, ttl_s: int) -> Request:
    """Write a key that goes after ``ttl_s`` seconds unless it is renewed."""
    return _put(key, {"value": "held", "ttl": str(ttl_s)})


def renew(key: str, ttl_s: int) -> Request:
    """Let a key live on; without a node in the answer it is gone already."""
    return _put(key, {"ttl": str(ttl_s), "refresh": "true", "prevExist": "true"}, NO_SUCH_KEY)


def _put(key: str, form: dict[str, str], *answers: int) -> Request:
    return Request("PUT", f"{KEYS}{key}", urlencode(form), FORM, frozenset({200, 201, *answers}))


class KeptKey(Kept):
    """A key of the v2 API that has a time to live."""

    _created: object = None

    def grant(self) -> bool:
        """Write the key."""
        answer = self._client.ask(hold(self._key, self._ttl_s))
        if answer is None:
            return False
        self._created = answer["node"]["createdIndex"]
        self.state = "alive"
        return True

    def _renewed(self) -> bool | None:
        answer = self._client.ask(renew(self._key, self._ttl_s))
        return None if answer is None else "node" in answer

    def _lives(self) -> bool | None:
        answer = self._client.ask(get(self._key))
        return None if answer is None else answer.get("node", {}).get("createdIndex") == self._created


def everything(session: Asking, prefix: str, *, serializable: bool) -> dict[str, str]:
    """Read the whole directory at once: v2 knows no pages."""
    return pairs(session.ask(below(prefix, quorum=not serializable)))


def kept(client: FailoverClient, key: str, *, ttl_s: int, pause_s: float = 1.0) -> Kept:
    """Return a key with a time to live."""
    return KeptKey(client, key, ttl_s=ttl_s, pause_s=pause_s)
