"""The first field of a line in known_hosts: which hosts it covers."""

import base64
import hashlib
import hmac


def matches(hosts: str, name: str) -> bool:
    """Whether a line's hosts field covers ``name`` (``host``, or ``[host]:port`` off port 22)."""
    if hosts.startswith("|"):
        return _matches_hash(hosts, name)
    patterns = hosts.lower().split(",")
    if any(is_covered(pattern[1:], name) for pattern in patterns if pattern.startswith("!")):
        return False
    return any(is_covered(pattern, name) for pattern in patterns)


def is_covered(pattern: str, name: str) -> bool:
    """Match ``*`` and ``?``, going back to the last star only: pattern times name steps at most."""
    if "*" not in pattern and "?" not in pattern:
        return pattern == name
    at, place = 0, 0
    star, taken = -1, 0  # the last star, and the end of what it has taken so far
    while place < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star, taken = at, place
            at += 1
        elif at < len(pattern) and pattern[at] in {"?", name[place]}:
            at, place = at + 1, place + 1
        elif star >= 0:
            taken += 1
            at, place = star + 1, taken
        else:
            return False
    return not pattern[at:].strip("*")


def _matches_hash(hosts: str, name: str) -> bool:
    """Match ``|1|SALT|HASH``: HMAC-SHA1 of the name, as ``ssh-keygen -H`` writes it."""
    try:
        _, version, salt, expected = hosts.split("|")
        digest = hmac.new(base64.b64decode(salt, validate=True), name.encode(), hashlib.sha1).digest()
        return version == "1" and hmac.compare_digest(digest, base64.b64decode(expected, validate=True))
    except ValueError:  # also binascii.Error: not a hash that anybody could match
        return False
