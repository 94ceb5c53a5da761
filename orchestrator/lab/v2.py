"""etcd's v2 API: keys are paths, values come as forms, and a v2 proxy passes it on."""

from urllib.parse import urlencode

from orchestrator.lab.gateway import Body, Request

KEYS = "/v2/keys"
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
