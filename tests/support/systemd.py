"""How systemd takes Environment= lines, written from systemd.syntax(7) and systemd.exec(5)."""

_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " "}


def settings(text: str) -> list[tuple[str, str, str]]:
    """Return section, key and value of each line that sets something; comments set nothing."""
    section, found = "", []
    for line in text.split("\n"):
        plain = line.strip()
        if not plain or plain[0] in "#;":
            continue
        if plain.startswith("[") and plain.endswith("]"):
            section = plain[1:-1]
            continue
        key, equals, value = plain.partition("=")
        assert equals, f"no setting: {line!r}"
        found.append((section, key.strip(), value.strip()))
    return found


def environment(text: str) -> dict[str, str]:
    """Return the variables that a drop-in sets, as the service's process gets them."""
    variables: dict[str, str] = {}
    for section, key, value in settings(text):
        assert (section, key) == ("Service", "Environment"), f"{section} {key} is no variable"
        for word in _words(value):
            name, equals, content = _specifiers(word).partition("=")
            assert equals, f"no variable: {word!r}"
            variables[name] = content
    return variables


def _specifiers(text: str) -> str:
    parts = text.split("%%")
    assert not any("%" in part for part in parts), f"a specifier would be expanded: {text!r}"
    return "%".join(parts)


def _words(value: str) -> list[str]:
    words: list[str] = []
    rest = value
    while rest:
        word, rest = _word(rest)
        words.append(word)
        rest = rest.lstrip(" \t")
    return words


def _word(text: str) -> tuple[str, str]:
    word, quote, place = "", "", 0
    while place < len(text):
        char = text[place]
        if char == "\\":
            assert place + 1 < len(text), "a backslash joins the next line"
            following = text[place + 1]
            word += _ESCAPES.get(following, following)
            place += 2
            continue
        if quote:
            quote, word = ("", word) if char == quote else (quote, word + char)
        elif char in "\"'":
            quote = char
        elif char in " \t":
            break
        else:
            word += char
        place += 1
    assert not quote, "a quote is left open"
    return word, text[place:]


# A file for EnvironmentFile=, and what systemd 252 reads from it: tests/live/test_odd_hosts.py asks systemd.
ENVIRONMENT_FILE = r"""
# ETCD_COMMENT=1
; ETCD_COMMENT=1
  # ETCD_COMMENT=1 \
ETCD_COMMENT=1
ETCD_PLAIN=http://a:1,http://b:2
  ETCD_BLANKS =  1 2
ETCD_EMPTY=
ETCD_DOUBLE="x y"
ETCD_SINGLE='a\b "c" $d'
ETCD_PARTS="x y" 'z'  w
ETCD_INSIDE=a"b"c'd'
ETCD_DOLLAR=$HOME ${HOME} %H
ETCD_ESCAPED=\$x \\ \"q\" \n
ETCD_IN_QUOTES="\$ \n \" \\ \` \x"
ETCD_LINES="one
two"
ETCD_JOINED=a \
 b
ETCD_JOINED_IN_QUOTES="a \
b"
ETCD_KEPT_BLANK=a\@
ETCD_TWICE=1
ETCD_TWICE=2
ETCD_HASH=a#b ;c
export ETCD_EXPORTED=1
ETCD_NOTHING
ETCD_UTF8=ünï
ETCD_LAST='open""".replace("@", " ")

READ_FROM_IT = {
    "ETCD_PLAIN": "http://a:1,http://b:2",
    "ETCD_BLANKS": "1 2",
    "ETCD_EMPTY": "",
    "ETCD_DOUBLE": "x y",
    "ETCD_SINGLE": 'a\\b "c" $d',
    "ETCD_PARTS": "x yzw",
    "ETCD_INSIDE": "a\"b\"c'd'",
    "ETCD_DOLLAR": "$HOME ${HOME} %H",
    "ETCD_ESCAPED": '$x \\ "q" n',
    "ETCD_IN_QUOTES": '$ \\n " \\ ` \\x',
    "ETCD_LINES": "one\ntwo",
    "ETCD_JOINED": "a  b",
    "ETCD_JOINED_IN_QUOTES": "a b",
    "ETCD_KEPT_BLANK": "a ",
    "ETCD_TWICE": "2",
    "ETCD_HASH": "a#b ;c",
    "ETCD_UTF8": "ünï",
    "ETCD_LAST": "open",
}


def of_file(text: str) -> dict[str, str]:  # noqa: C901, PLR0912 -- one state of systemd's a case
    """Read a file for EnvironmentFile=: systemd 252's own machine, state by state (basic/env-file.c)."""
    state, name, value = "before the name", "", ""
    blank: int | None = None  # where the value's trailing blanks begin
    found: list[tuple[str, str]] = []
    for char in text:
        is_end, is_blank = char in "\n\r", char in " \t\n\r"
        match state:
            case "before the name" if char in "#;":
                state = "comment"
            case "before the name" if not is_blank:
                state, name = "name", char
            case "name" if is_end:
                state = "before the name"
            case "name" if char == "=":
                state, value, blank = "before the value", "", None
            case "name":
                name += char
            case "before the value" | "value" if is_end:
                found.append((name, value if state != "value" else value[:blank]))
                state = "before the name"
            case "before the value" if char in "'\"":
                state = char
            case "before the value" | "value" if char == "\\":
                state, blank = "escape", None
            case "before the value" if not is_blank:
                state, value = "value", value + char
            case "value":
                blank = None if not is_blank else len(value) if blank is None else blank
                value += char
            case "escape":
                state, value = "value", value if is_end else value + char
            case "'" | '"' if char == state:
                state = "before the value"
            case '"' if char == "\\":
                state = "escape in quotes"
            case "'" | '"':
                value += char
            case "escape in quotes":
                state = '"'
                value += char if char in '"\\`$' else "" if char == "\n" else "\\" + char
            case "comment" if char == "\\":
                state = "escape in comment"
            case "comment" if is_end:
                state = "before the name"
            case "escape in comment":
                state = "comment"
    if state in {"before the value", "value", "escape", "'", '"', "escape in quotes"}:
        found.append((name, value if state != "value" else value[:blank]))
    return {each.rstrip(" \t\n\r"): value for each, value in found}


def shown(word: str) -> str:
    """Write a word as ``systemctl show`` does (basic/escape.c, shell_maybe_quote)."""
    if word and not any(char in " \t\n\r\"\\`$*?['()<>|&;!#~" or ord(char) < 32 for char in word):
        return word
    escapes = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\v": "\\v"}
    written = (
        escapes.get(char)
        or (
            f"\\{char}"
            if char in '"\\`$'
            else f"\\{ord(char):03o}"
            if ord(char) < 32 or char == "\x7f"
            else char
        )
        for char in word
    )
    return '"' + "".join(written) + '"'
