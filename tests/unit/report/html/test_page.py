"""The page is whole, says what it has to, loads nothing, and can be read by ear and by keyboard."""

import base64
import hashlib
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from support.markup import Page, read
from support.reported import material, walked

from orchestrator.report.html.page import Material, write

GOLDEN = Path(__file__).parents[3] / "golden" / "report.html"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Material:
    _, runbook, (first, *rest) = walked(tmp_path_factory.mktemp("plan"))
    of_no_version = first.model_copy(update={"tool": "0"})
    return material([of_no_version, *rest], runbook)


@pytest.fixture(scope="module")
def text(made: Material) -> str:
    return write(made)


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return read(text)


def test_a_fixed_run_has_a_fixed_report(text: str) -> None:
    assert GOLDEN.read_text() == text


def test_every_element_ends_where_it_has_to(page: Page) -> None:
    assert [] == page.faults


def test_nothing_is_loaded_and_nothing_runs(text: str, page: Page) -> None:
    tags = {element.tag for element in page.elements}
    assert set() == tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "audio"}
    names = {name for element in page.elements for name in element.attributes}
    assert set() == {name for name in names if name.startswith("on") or name in {"src", "style", "srcset"}}
    links = {element.attributes["href"] for element in page.elements if "href" in element.attributes}
    assert {"#"} == {link[0] for link in links}
    assert not re.search(r"url\(|@import|@font-face", text)


def test_the_policy_allows_this_style_and_nothing_else(page: Page) -> None:
    (style,) = page.all("style")
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    policies = [
        element.attributes["content"]
        for element in page.all("meta")
        if element.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert [
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    ] == policies


def test_headings_come_in_order_and_every_link_leads_to_a_part(page: Page) -> None:
    levels = [int(element.tag[1]) for element in page.all("h1", "h2", "h3", "h4")]
    assert 1 == levels[0]
    assert 1 == levels.count(1)
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(set(ids)) == len(ids)
    links = [element.attributes["href"][1:] for element in page.all("a")]
    assert "content" == links[0]
    assert set() == set(links) - set(ids)


def test_landmarks_tables_and_drawings_say_what_they_are(page: Page) -> None:
    assert [1, 1, 1, 1] == [len(page.all(tag)) for tag in ("header", "nav", "main", "footer")]
    assert "en" == page.all("html")[0].attributes["lang"]
    ids = {element.attributes.get("id") for element in page.elements}
    for element in page.elements:
        assert set(element.attributes.get("aria-labelledby", "").split()) <= ids
    for table in (element for element in page.all("th")):
        assert table.attributes["scope"] in {"col", "row"}
    for drawing in page.all("svg"):
        assert "img" == drawing.attributes["role"]
        assert drawing.attributes["aria-labelledby"]
    for region in (element for element in page.elements if element.attributes.get("role") == "region"):
        assert "0" == region.attributes["tabindex"]
        assert region.attributes["aria-label"]
    assert {"details"} == {element.within[-1] for element in page.all("summary")}


def test_it_says_what_became_of_the_run_and_where_every_second_went(page: Page) -> None:
    said = " ".join(" ".join(page.texts).split())
    assert "Every host of three-members stands at the end." in said
    assert "Nobody worked on it for 1 h 0 min." in said
    assert "◀ you are here: server1, server2, server3" in said
    assert "anna@bastion, process 7" in said
    assert "ab" * 32 in said
    assert "until a step's own gates hold (server3)" in said
    rounds = [element.text for element in page.all("th") if element.text.startswith("round ")]
    assert [f"round {name}" for name in ("stage", "prove", "accept", "bridge", "switch", "seal")] == rounds


def test_what_is_not_known_is_said_so(made: Material) -> None:
    page = read(write(replace(made, restarting=None)))
    said = " ".join(" ".join(page.texts).split())
    assert "Restarts not known" in said
    assert "The state file does not say: the run neither waited for a client outside nor cut one off." in said
    assert "availability" not in {element.attributes.get("id") for element in page.elements}


def test_changed_lines_are_marked(page: Page) -> None:
    marked = {
        element.attributes["class"]: element.text for element in page.all("span") if "pre" in element.within
    }
    assert "  | - listen-client-urls: http://0.0.0.0:2379" == marked["removed"]
    assert "  | + listen-client-urls: https://0.0.0.0:2379" == marked["added"]
    assert marked["warning"].startswith("CUT OFF: ")
