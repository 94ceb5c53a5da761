"""A page as its elements, by the standard library's parser: what a browser and a screen reader are given."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

# An element without an end; of those in a drawing each has one, or is closed at once.
_VOID = {"meta", "link", "br", "img", "input", "hr", "base", "source", "area", "col", "embed", "track", "wbr"}


@dataclass
class Element:
    """An element, in which others it lies, and the text that is right in it."""

    tag: str
    attributes: dict[str, str]
    within: tuple[str, ...]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """Reads a page; ``faults`` are ends that do not fit."""

    elements: list[Element] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        self.faults += [f"{tag} has {name} twice" for name in set(names) if names.count(name) > 1]
        element = Element(tag, {name: value or "" for name, value in attrs}, tuple(e.tag for e in self._open))
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            self.faults.append(f"</{tag}> does not end {self._open[-1].tag if self._open else 'anything'}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        for element in self._open:
            element.text += data

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"a comment: {data}")

    def close(self) -> None:
        super().close()
        self.faults += [f"{element.tag} has no end" for element in self._open]

    def all(self, *tags: str) -> list[Element]:
        """Elements of those tags, in their order."""
        return [element for element in self.elements if element.tag in tags]


def read(text: str) -> Page:
    """Read a page to its end."""
    page = Page()
    page.feed(text)
    page.close()
    return page
