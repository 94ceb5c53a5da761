"""URLs in the scheme that somebody listens with at their port, by the listeners' own URLs; pure."""

from collections.abc import Iterable
from urllib.parse import urlsplit

_SCHEMES = ("http://", "https://")


def spoken(urls: Iterable[str], listeners: Iterable[str]) -> tuple[str, ...]:
    """Return the same places in the scheme that is listened with there, each of them once.

    A port that no listener has (behind NAT, say) is taken to lead to the listeners there are, if they agree.
    """
    by_port = {urlsplit(url).port: urlsplit(url).scheme for url in listeners}
    schemes = set(by_port.values())
    other = schemes.pop() if len(schemes) == 1 else None
    return tuple(dict.fromkeys(_in_scheme(url, by_port.get(urlsplit(url).port) or other) for url in urls))


def _in_scheme(url: str, scheme: str | None) -> str:
    return url if scheme is None or not url.startswith(_SCHEMES) else f"{scheme}://{url.partition('://')[2]}"
