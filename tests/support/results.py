"""What test runs saw of their cases: kept in tests/results for a page of docs/, or compared with it."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import Field, asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

FOLDER = Path(__file__).parents[1] / "results"
Key = tuple[str, str]


class Case(Protocol):
    """A case of a table."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def key(self) -> Key:
        """Its place in the table."""


Kind = TypeVar("Kind", bound=Case)


@dataclass
class Results(Generic[Kind]):
    """The cases of one ``make`` target. Later test runs have to agree with it in the fields ``compared``."""

    target: str
    kind: type[Kind]
    compared: tuple[str, ...]
    seen: dict[Key, Kind] = field(default_factory=dict)  # in this test run, in its order

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.target}.jsonl"

    def add(self, one: Kind) -> None:
        assert one.key not in self.seen, "two cases have one name"
        self.seen[one.key] = one

    def written(self) -> dict[Key, Kind]:
        """What was recorded."""
        if not self.path.exists():
            return {}
        rows = (json.loads(line) for line in self.path.read_text().splitlines())
        found = (self.kind(**{name: _frozen(value) for name, value in row.items()}) for row in rows)
        return {one.key: one for one in found}

    def write(self) -> None:
        """Put what this test run saw in the place of what was recorded of the same cases."""
        with self.path.open("a") as lock:  # other workers of this test run write there too
            fcntl.flock(lock, fcntl.LOCK_EX)
            rows = sorted({**self.written(), **self.seen}.items())
            text = "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for _, one in rows)
            self.path.write_text(text)

    @contextmanager
    def kept(self, *, record: bool) -> Iterator[None]:
        """Record the cases that are seen meanwhile, or have them be as they were recorded."""
        before = set(self.seen)
        yield
        new = set(self.seen) - before
        if record and new:
            self.write()
        known = self.written() if new else {}
        for key in new:
            assert key in known, f"{key} is not in tests/results: run make {self.target}"
            for name in self.compared:
                recorded, now = getattr(known[key], name), getattr(self.seen[key], name)
                assert recorded == now, f"{key}: run make {self.target}"


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
