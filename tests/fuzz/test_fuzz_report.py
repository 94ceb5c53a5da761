"""Text from elsewhere never becomes markup: any reason, review, name or record is shown, and nothing more."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from support.fuzzing import EXAMPLES
from support.markup import Page, read
from support.reported import BEGAN, material, walked

from orchestrator.engine.events import Recorded, RunBegan, RunEnded, Span
from orchestrator.report.html import availability, changes
from orchestrator.report.html.certificates import Held
from orchestrator.report.html.page import Material, Review, write

HOSTILE = (
    "<script>alert(1)</script>",
    "</title></style></svg></pre><img src=x onerror=alert(1)>",
    "\"' onload='alert(1)' x=\"",
    "&lt;b&gt; &#x3c;b&#x3e; ]]> <!-- --> <![CDATA[",
    "{{ 7 * 7 }} {% raw %}",
    "\x1b[31m\x00\u202e\ud800\ufffe",
    "Round x: <b>\n  | + <i>\n",
)
TEXT = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60))


@cache
def plain() -> tuple[Recorded, ...]:
    with TemporaryDirectory() as folder:
        return walked(Path(folder))[2]


@cache
def tags() -> tuple[str, ...]:
    return skeleton(read(write(made("x", "x", ["x"]))))


def skeleton(page: Page) -> tuple[str, ...]:
    """Elements and the names of their attributes, in order, but for those that are one for each line."""
    assert [] == page.faults
    return tuple(
        f"{element.tag} {' '.join(element.attributes)}"
        for element in page.elements
        if "pre" not in element.within and element.tag not in {"pre", "details", "summary"}
    )


def made(one: str, review: str, reasons: Sequence[str]) -> Material:
    """A page with that text wherever text from elsewhere may stand."""
    said = next(iter(one.encode("utf-8", "replace").decode().split("\n")), "") or "x"
    *before, last = plain()
    spans = (
        Span(kind="outside", at=BEGAN, took_s=1, reasons=tuple(reasons)),
        Span(kind="cut-off", at=BEGAN, took_s=0, reasons=(one,)),
    )
    ended = RunEnded(at=last.at, outcome="stopped", reason=one, spans=spans)
    events: list[Recorded] = [
        event.model_copy(update={"host": said, "user": said}) if isinstance(event, RunBegan) else event
        for event in (*before, ended)
    ]
    return replace(
        material(events),
        plan=one,
        tool=one,
        reviews=(Review(one, review, fault=one),),
        following={"Go on with": one},
        faults=(one,),
        held=(Held(one, one, (), one),),
        authority=Held(one, one, (), one),
        records={
            "record": availability.Many(
                clients=(availability.Kind(kind=one, attempts=1, failed=0, longest_stall_s=1),)
            ),
            one: availability.Single(
                started_at=BEGAN,
                took_s=1,
                attempts=1,
                failed=0,
                longest_stall_s=0,
                longest_stall_after_s=0,
            ),
        },
    )


@settings(max_examples=EXAMPLES, deadline=None)
@given(TEXT.filter(bool), TEXT, st.lists(TEXT, min_size=1, max_size=1))
@example(HOSTILE[0], HOSTILE[1], [HOSTILE[2]])
@example(HOSTILE[5], HOSTILE[6], [HOSTILE[3]])
def test_no_text_becomes_markup(one: str, review: str, reasons: list[str]) -> None:
    text = write(made(one, review, reasons))
    text.encode()
    assert all(char.isprintable() or char == "\n" for char in text)
    page = read(text)
    assert tags() == skeleton(page)
    assert set() == {tag.tag for tag in page.elements} & {"script", "img", "b", "i"}
    assert {"span", "pre"} >= {element.tag for element in page.elements if "pre" in element.within}


@settings(max_examples=EXAMPLES * 5, deadline=None)
@given(st.text(max_size=200))
def test_a_review_is_cut_without_losing_a_line(review: str) -> None:
    cut = changes.chapters(review)
    kept = [text for chapter in cut for text in (chapter.title, *(line.text for line in chapter.lines))]
    assert [line for line in review.splitlines() if line.strip()] == [line for line in kept if line.strip()]


@settings(max_examples=EXAMPLES * 5, deadline=None)
@given(st.one_of(st.binary(max_size=100), st.text(max_size=100).map(str.encode)))
@example(b'{"clients":[{"kind":"x","attempts":1,"failed":1,"longest_stall_s":1e9,"failed_at":[1e11]}]}')
@example(
    b'{"started_at":"9999-12-31T23:59:59Z","took_s":1e9,"attempts":1,"failed":0,"longest_stall_s":1e9,'
    b'"longest_stall_after_s":1e9,"failed_at":[1e11]}'
)
def test_any_record_is_drawn_or_refused(content: bytes) -> None:
    try:
        record = availability.RECORD.validate_json(content)
    except ValidationError:
        return
    shown = availability.clients({"x": record}, BEGAN, BEGAN + timedelta(days=1))
    availability.draw(shown, (BEGAN, BEGAN + timedelta(seconds=1)), ())


def test_hostile_text_is_still_there_to_be_read() -> None:
    page = read(write(made(HOSTILE[0], HOSTILE[1], [HOSTILE[2]])))
    said = "".join(page.texts)
    for text in HOSTILE[:3]:
        assert text in said
