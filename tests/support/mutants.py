"""Mutants of a module: each reason that a judge yields is dropped, each condition is always true or false."""

import ast
from collections.abc import Collection, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType


@dataclass(frozen=True)
class Mutant:
    """What was changed in which line, and the module's code with that change."""

    name: str
    tree: ast.Module

    def load(self, original: ModuleType) -> ModuleType:
        """Return the changed module; the original stays as it is."""
        module = ModuleType(original.__name__)
        module.__file__ = original.__file__
        exec(compile(self.tree, str(original.__file__), "exec"), vars(module))  # noqa: S102 our own code
        return module


def mutants(original: ModuleType, roots: Collection[str], without: Collection[str] = ()) -> Iterator[Mutant]:
    """Yield every mutant of these functions of a module, and of those that they call there."""
    path = Path(str(original.__file__))
    tree = ast.parse(path.read_text())
    wanted = set(_reached(tree, roots, without))
    for index, node in enumerate(ast.walk(tree)):
        for what in ("dropped", "always true", "always false"):
            if node in wanted and _is_changeable(node, what):
                changed = deepcopy(tree)
                _change(list(ast.walk(changed))[index], what)
                line = ast.unparse(node).splitlines()[0][:80]
                name = f"{path.stem}:{getattr(node, 'lineno', 0)} {what}: {line}"
                yield Mutant(name, ast.fix_missing_locations(changed))


def _reached(tree: ast.Module, roots: Collection[str], without: Collection[str]) -> Iterator[ast.AST]:
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    left, done = [name for name in roots if name in functions], set(without)
    while left:
        name = left.pop()
        if name not in done:
            done.add(name)
            nodes = list(ast.walk(functions[name]))
            yield from nodes
            left += [node.id for node in nodes if isinstance(node, ast.Name) and node.id in functions]


def _is_changeable(node: ast.AST, what: str) -> bool:
    if what == "dropped":
        return isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom)
    return isinstance(node, ast.If | ast.IfExp)


def _change(node: ast.AST, what: str) -> None:
    if isinstance(node, ast.Expr):
        node.value = ast.YieldFrom(ast.Tuple([], ast.Load()))
    elif isinstance(node, ast.If | ast.IfExp):
        node.test = ast.Constant(what == "always true")
