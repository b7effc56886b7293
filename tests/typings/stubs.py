"""Reads a stub of typings/: its public names, the signatures of its callables, answers."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TYPINGS = ROOT / "typings"


@dataclass
class Function:
    """`path` as one would write it: "alloc", "Owner.take". any_keyword: it has **fields."""

    path: str
    positional_only: list[str]
    either: list[str]
    keyword_only: list[str]
    required: set[str]
    returns: str
    any_keyword: bool

    @property
    def parameters(self) -> list[str]:
        return [*self.positional_only, *self.either, *self.keyword_only]


@dataclass
class Class:
    """`methods`: a method is as many functions as it has overloads."""

    name: str
    only_typing: bool
    is_tuple: bool
    attributes: list[str] = field(default_factory=list)
    methods: dict[str, list[Function]] = field(default_factory=dict)
    special: set[str] = field(default_factory=set)


@dataclass
class Stub:
    values: dict[str, str]
    functions: dict[str, Function]
    classes: dict[str, Class]

    @property
    def names(self) -> set[str]:
        """What the live module must have, no more and no less."""
        types = {name for name, one in self.classes.items() if not one.only_typing}
        return set(self.values) | set(self.functions) | types


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, owner: str = "") -> Function:
    arguments = node.args
    skip = 1 if owner else 0
    positional = [arg.arg for arg in arguments.posonlyargs]
    either = [arg.arg for arg in arguments.args]
    if positional:
        positional = positional[skip:]
    else:
        either = either[skip:]
    keyword = [arg.arg for arg in arguments.kwonlyargs]
    optional = set(
        [*positional, *either][len(positional) + len(either) - len(arguments.defaults) :]
    )
    optional |= {
        name
        for name, value in zip(keyword, arguments.kw_defaults, strict=True)
        if value is not None
    }
    return Function(
        path=f"{owner}.{node.name}" if owner else node.name,
        positional_only=[name for name in positional if name != "self"],
        either=either,
        keyword_only=keyword,
        required={*positional, *either, *keyword} - optional - {"self"},
        returns=ast.unparse(node.returns) if node.returns else "None",
        any_keyword=arguments.kwarg is not None,
    )


def _class(node: ast.ClassDef) -> Class:
    decorators = {ast.unparse(one) for one in node.decorator_list}
    bases = {ast.unparse(one) for one in node.bases}
    made = Class(node.name, "type_check_only" in decorators, "NamedTuple" in bases)
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            made.attributes.append(item.target.id)
        elif isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
            kinds = {ast.unparse(one) for one in item.decorator_list}
            if "property" in kinds:
                made.attributes.append(item.name)
            elif item.name.startswith("__") and item.name != "__init__":
                made.special.add(item.name)
            else:
                made.methods.setdefault(item.name, []).append(_function(item, node.name))
    return made


def load(module: str) -> Stub:
    tree = ast.parse((TYPINGS / f"{module}.pyi").read_text(encoding="utf-8"))
    stub = Stub({}, {}, {})
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            stub.values[node.target.id] = ast.unparse(node.annotation)
            if node.value is not None:
                stub.values[node.target.id] += " = " + ast.unparse(node.value)
        elif isinstance(node, ast.FunctionDef):
            stub.functions.setdefault(node.name, _function(node))  # of overloads the first
        elif isinstance(node, ast.ClassDef):
            stub.classes[node.name] = _class(node)
    return stub


def undocumented(module: str) -> list[str]:
    """Public functions and classes of a stub without a docstring, where nothing overrides them."""
    tree = ast.parse((TYPINGS / f"{module}.pyi").read_text(encoding="utf-8"))
    return [
        node.name
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]
