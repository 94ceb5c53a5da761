"""Values in the texts of a unit that may be secret, and the same texts without them. Pure."""

import re

INSTEAD = "replaced"
# Names of variables, flags and keys whose values are secret, and those of etcd that only sound so.
_NAME = r"[\w.-]{0,99}(?i:passw|passphrase|pwd|secret|credential|token|api_?key|(?<=[_-])key\b)[\w.-]{0,99}"
_HARMLESS = re.compile(r"(?i)(?:initial[_-]cluster[_-]token|auth[_-]token(?:[_-]ttl)?|[_-]file)$")
_REST = r"(?:[^\\\n]|\\.|\\\n)*"  # of the line, and of those that continue it
_ASSIGNED = re.compile(
    rf"(?P<quote>[\"'])(?P<name_in_quotes>{_NAME})=(?P<in_quotes>(?:\\.|(?!(?P=quote))[^\\])*)(?P=quote)"
    rf"|^[ \t]*(?:export[ \t]+)?(?P<name_of_line>{_NAME})[ \t]*[=:][ \t]*(?P<rest>{_REST})"
    rf"|(?<![\w.-])(?P<name_of_flag>--?{_NAME})[ \t]+(?=[^-\s])(?P<behind>\"[^\"]*\"|'[^']*'|[^\s\"']+)"
    rf"|(?<![\w.-])(?P<name>{_NAME})=(?P<value>\"[^\"]*\"|'[^']*'|[^\s\"']+)",
    re.MULTILINE,
)
_VALUES = ("in_quotes", "rest", "behind", "value")
_IN_URL = re.compile(r"(?<=://)(?P<user>[^\s:/@\"']*):[^\s/@\"']+(?=@)")
_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)


def without(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a text with every value that may be secret replaced, and what those were: mostly their names."""
    found: list[str] = []

    def assigned(match: re.Match[str]) -> str:
        group = next((each for each in _VALUES if match[each]), None)
        name = next(match[each] for each in match.groupdict() if each.startswith("name") and match[each])
        if group is None or _HARMLESS.search(name) or match[group].lstrip("\"'").startswith("/"):
            return match[0]  # the path of a file is no secret
        found.append(name.lstrip("-"))
        start, end = match.span(group)
        return match.string[match.start() : start] + INSTEAD + match.string[end : match.end()]

    def in_url(match: re.Match[str]) -> str:
        found.append("the password in a URL")
        return f"{match['user']}:{INSTEAD}"

    def key(_: re.Match[str]) -> str:
        found.append("a private key")
        return INSTEAD

    text = _ASSIGNED.sub(assigned, _IN_URL.sub(in_url, _KEY.sub(key, text)))
    return text, tuple(dict.fromkeys(found))
