"""The report in a real Chromium: light, dark and print, on a telephone and on a desk, without a network."""

import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.chromium import Browser, Scheme, browser
from support.reported import material, walked

from orchestrator.report.html.page import write

NARROW, WIDE = 390, 1280
LEAST = 4.5  # WCAG 2.2, 1.4.3: text against what is behind it

# Every element with text of its own: how far its colour stands out from the first opaque colour behind it.
CONTRASTS = """
(() => {
  const channels = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const colour = channels(getComputedStyle(one).backgroundColor);
      if (colour.length && (colour.length < 4 || colour[3] === 1)) return colour;
    }
    return [255, 255, 255];
  };
  return [...document.body.querySelectorAll('*')]
    .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    .filter(one => !['title', 'desc', 'style'].includes(one.tagName.toLowerCase()))
    .map(one => {
      const style = getComputedStyle(one);
      const ink = channels(one instanceof SVGElement ? style.fill : style.color);
      const [a, b] = [light(ink), light(behind(one))];
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), one.tagName, one.textContent.slice(0, 40)];
    });
})()
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plan")
    _, runbook, events = walked(folder)
    path = folder / "report.html"
    path.write_text(write(material(events, runbook)))
    return path


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def opened(shown: Browser, page: Path, width: int, scheme: Scheme = "light", media: str = "screen") -> None:
    shown.show(page, width, scheme, media)
    assert [] == shown.complaints
    assert [page.resolve().as_uri()] == shown.requests


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_nothing_is_cut_and_every_text_can_be_read(
    shown: Browser, page: Path, width: int, scheme: Scheme
) -> None:
    opened(shown, page, width, scheme)
    assert width >= shown.evaluate("document.documentElement.scrollWidth")
    contrasts: list[Any] = shown.evaluate(CONTRASTS)
    assert 100 < len(contrasts)
    assert [] == [each for each in contrasts if each[0] < LEAST]
    assert (width, 700) == size(shown.picture(height=700))


def test_the_two_schemes_do_differ(shown: Browser, page: Path) -> None:
    found: list[str] = []
    for scheme in ("light", "dark"):
        opened(shown, page, WIDE, scheme)
        found.append(shown.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert ["rgb(253, 253, 251)", "rgb(20, 24, 28)"] == found


def test_a_browser_that_would_fetch_is_seen_to(shown: Browser, page: Path) -> None:
    """That nothing is asked for, and nothing complained of, is worth something only if it would be seen."""
    harmed = page.with_name("harmed.html")
    harmed.write_text(page.read_text().replace("<h2", '<img src="http://192.0.2.1/x.png" alt=""><h2', 1))
    shown.show(harmed, WIDE)
    assert any("Content Security Policy" in each for each in shown.complaints)


def test_it_is_printed_on_paper_with_all_that_is_folded_on_a_screen(
    shown: Browser, page: Path, tmp_path: Path
) -> None:
    opened(shown, page, WIDE, "dark", "print")
    assert "rgb(255, 255, 255)" == shown.evaluate("getComputedStyle(document.body).backgroundColor")
    shown.show(page, WIDE)
    pdf = tmp_path / "report.pdf"
    pdf.write_bytes(shown.printed())
    words = subprocess.run(
        ["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True
    ).stdout
    assert "you are here: server1, server2, server3" in words
    assert "listen-client-urls: https://0.0.0.0:2379" in words  # stands in details that are closed
    assert "stage/server1" in words
    subprocess.run(
        ["pdftoppm", "-r", "50", "-png", "-singlefile", str(pdf), str(pdf.with_suffix(""))], check=True
    )
    width, height = size(pdf.with_suffix(".png").read_bytes())
    assert pytest.approx(297 / 210, rel=0.01) == height / width  # A4


def test_a_keyboard_comes_first_to_the_content_and_then_everywhere(shown: Browser, page: Path) -> None:
    opened(shown, page, WIDE)
    for kind in ("keyDown", "keyUp"):
        shown.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
    assert "Skip to the report" == shown.evaluate("document.activeElement.textContent")
    assert 0 <= shown.evaluate("document.activeElement.getBoundingClientRect().left")
    outline = shown.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert "solid" == outline
