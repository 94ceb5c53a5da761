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
