"""Text from elsewhere (a host, a file, a person): what one line of it may hold, and how it is shown."""

_BETWEEN = "\n  "  # the lines of a message
_LIMIT = 4096  # etcd's longest settings are lists of URLs, far below that


def one_line(text: str, what: str, limit: int = _LIMIT) -> str:
    """Return the text if it is one line of printable characters, else raise ValueError naming ``what``."""
    if len(text) > limit:
        raise ValueError(f"{what} is longer than {limit} characters: {shown(text)}")
    if not text.isprintable():
        raise ValueError(f"{what} holds characters that cannot be printed: {shown(text)}")
    return text


def bracketed(host: str) -> str:
    """Return a host as it stands before a port: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def shown(text: str, quote: str = "'", limit: int = 80) -> str:
    """Return foreign text so that it fits into one line."""
    short = text if len(text) <= limit else text[: limit - 3] + "..."
    return quote + escaped(short, keep="") + quote


def escaped(text: str, keep: str = "\n") -> str:
    r"""Return text that cannot move a cursor, change a colour or the reading order: ``\x1b`` for an escape.

    ``keep`` are the control characters that stay as they are.
    """
    return "".join(char if char.isprintable() or char in keep else ascii(char)[1:-1] for char in text)


def laid_out(*sentences: str) -> str:
    """Return a message of several sentences as people read it: a line each; empty ones are left out."""
    return _BETWEEN.join(filter(None, sentences))


def in_one_line(message: str) -> str:
    """Return a message that was laid out in lines as one line, for a record."""
    return "; ".join(line.strip() for line in message.splitlines())


def counted(number: int, what: str) -> str:
    """Return a number of things."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
