"""Drawings as trees of SVG elements: the library that writes them escapes every text."""

from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

from orchestrator.text import escaped


def drawing(name: str, size: tuple[float, float], title: str, description: str) -> Element:
    """Return an empty drawing that a screen reader introduces; ``name`` is its own in the page."""
    width, height = size
    svg = Element("svg", {"class": name, "viewBox": f"0 0 {width:g} {height:g}", "role": "img"})
    svg.set("width", f"{width:g}")
    svg.set("height", f"{height:g}")
    svg.set("aria-labelledby", f"{name}-title {name}-text")
    put(svg, "title", title, id=f"{name}-title")
    put(svg, "desc", description, id=f"{name}-text")
    return svg


def put(parent: Element, tag: str, text: str = "", **attributes: str | float) -> Element:
    """Add an element; ``kind`` is its class, and an underscore in a name stands for a hyphen."""
    child = SubElement(parent, tag)
    for name, value in attributes.items():
        shown = escaped(value, keep="") if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
        child.set("class" if name == "kind" else name.replace("_", "-"), shown)
    if text:
        child.text = escaped(text, keep="")
    return child


def box(parent: Element, kind: str, place: tuple[float, float, float, float], said: str = "") -> Element:
    """Add a rectangle at x, y, width, height; ``said`` is shown when one points at it."""
    x, y, width, height = place
    rectangle = put(parent, "rect", kind=kind, x=x, y=y, width=max(width, 0.0), height=height)
    if said:
        put(rectangle, "title", said)
    return rectangle


def markup(svg: Element) -> Markup:
    """Return a drawing as markup."""
    return Markup(tostring(svg, encoding="unicode"))  # noqa: S704 -- the library has escaped it
