"""Small faults, made one at a time: what can be changed in a C file, from its parse tree.

A mutant is a change of one node of the syntax: never of a comment, of a string, or of a line of
the preprocessor other than the body of a macro. It is known by file, function, the text of its
line and what is changed, so that its id outlives edits elsewhere.

What would only make an order stronger is not made: it is right by construction.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tree_sitter
import tree_sitter_c

PORTS = ("atomic_c11.h", "atomic_cas.h", "atomic_riscv.h", "masked.h")

# kind: {what stands there: what takes its place}
OPERATORS = {
    "comparison": {
        "<": ("<=", ">="), "<=": ("<",), ">": (">=", "<="), ">=": (">",),
        "==": ("!=",), "!=": ("==",),
    },
    "arithmetic": {"+": ("-",), "-": ("+",), "*": ("+",), "/": ("*",), "%": ("/",)},
    "bits": {"&": ("|",), "|": ("&",), "^": ("|",), "<<": (">>",), ">>": ("<<",)},
    "logic": {"&&": ("||",), "||": ("&&",)},
    "assignment": {
        "+=": ("-=",), "-=": ("+=",), "|=": ("&=",), "&=": ("|=",), "^=": ("|=",), "<<=": (">>=",),
        ">>=": ("<<=",), "*=": ("+=",), "/=": ("*=",),
    },
    "step": {"++": ("--",), "--": ("++",)},
}  # fmt: skip
KIND_OF = {op: kind for kind, table in OPERATORS.items() for op in table}

# Words that stand for other words: operations, and the orders that they carry.
ATOMIC = {
    "mempool_fetch_and": "mempool_fetch_or",
    "mempool_fetch_or": "mempool_fetch_and",
    "mempool_fetch_add": "mempool_fetch_or",
    "mempool_at_least": "mempool_at_most",
    "mempool_at_most": "mempool_at_least",
    "atomic_fetch_and_explicit": "atomic_fetch_or_explicit",
    "atomic_fetch_or_explicit": "atomic_fetch_and_explicit",
    "atomic_fetch_add_explicit": "atomic_fetch_sub_explicit",
}
ORDER = {
    "mempool_load": "mempool_peek",
    "mempool_store": "mempool_poke",
    "memory_order_acquire": "memory_order_relaxed",
    "memory_order_release": "memory_order_relaxed",
    "memory_order_acq_rel": "memory_order_relaxed",
    "memory_order_seq_cst": "memory_order_acq_rel",
    "MEMPOOL_ORDER_LOAD": "memory_order_relaxed",
    "MEMPOOL_ORDER_STORE": "memory_order_relaxed",
    "MEMPOOL_ORDER_RMW": "memory_order_relaxed",
    "__ATOMIC_ACQUIRE": "__ATOMIC_RELAXED",
    "__ATOMIC_RELEASE": "__ATOMIC_RELAXED",
    "__ATOMIC_ACQ_REL": "__ATOMIC_RELAXED",
    "__ATOMIC_SEQ_CST": "__ATOMIC_RELAXED",
}
# Instructions, in the one file that writes them out.
INSTRUCTIONS = {
    "amoand.w": "amoor.w", "amoor.w": "amoand.w", "amoadd.w": "amoxor.w", "amomax.w": "amomin.w",
    "amomin.w": "amomax.w", "bne": "beq", "beq": "bne", "bnez": "beqz", "blt": "bge", "add": "sub",
    "sub": "add", "srli": "slli",
}  # fmt: skip

# Macros that say where something lies: the parser takes each for a type, and loses its way.
PLACES = re.compile(
    rb"\b(MEMPOOL_(HOT|FAST|FAST_CONST|PAYLOAD|NOINIT|PORT_INLINE)|EVENTBUS_(HOT|FAST|INLINE))\b"
    rb"|__attribute__\(\([a-z_0-9, ()]*\)\)"
)
# What tells the compiler something, or asks it, and does nothing when the program runs.
HINTS = (b"_Static_assert", b"MEMPOOL_OPAQUE", b"MEMPOOL_STAY", b"(void)")
LANGUAGE = tree_sitter.Language(tree_sitter_c.language())
NOT_LOOKED_INTO = {"comment", "preproc_include", "preproc_if_condition", "ERROR"}


@dataclass(frozen=True)
class Mutant:
    file: str  # below cmodules/
    function: str  # or the macro
    line: str  # its text
    column: int  # in it
    kind: str
    old: str
    new: str
    nth: int  # among those that are alike in all this
    start: int  # bytes of the file
    end: int

    @property
    def id(self) -> str:
        parts = (self.file, self.function, self.line, self.column, self.old, self.new, self.nth)
        return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:8]

    def __str__(self) -> str:
        again = f" (again, {self.nth})" if self.nth else ""
        change = f"`{shorten(self.old)}` -> `{shorten(self.new)}`"
        return f"{self.file} {self.function or '-'}: `{self.line}`: {change}{again}"

    def apply(self, text: bytes) -> bytes:
        return text[: self.start] + self.new.encode() + text[self.end :]


def shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def files(cmodules: Path) -> list[str]:
    """What is mutated, below `cmodules`."""
    found = [*cmodules.glob("*/core/*.c"), *cmodules.glob("*/core/*.h")]
    found += [cmodules / "mempool" / "port" / name for name in PORTS]
    return sorted(str(path.relative_to(cmodules)) for path in found)


def parse(text: bytes) -> tree_sitter.Tree:
    return tree_sitter.Parser(LANGUAGE).parse(text)


def without_places(text: bytes) -> bytes:
    """The same text to the byte, without what is no C."""

    def blank(match: re.Match[bytes]) -> bytes:
        size = len(match.group())
        inline = match.group().endswith(b"_INLINE") and size >= len(b"static inline")
        return (b"static inline" if inline else b"").ljust(size)

    return PLACES.sub(blank, text)


@dataclass(frozen=True)
class Change:
    kind: str
    start: int
    end: int
    new: str
    function: str


def changes(node: tree_sitter.Node, function: str, offset: int = 0) -> Iterator[Change]:
    """Every change of a node and of what is below it."""
    if node.type in NOT_LOOKED_INTO or node.is_missing:
        return
    if node.type == "function_definition":
        function = name_of(node) or function
    if node.type in ("preproc_def", "preproc_function_def"):
        yield from changes_of_macro(node)
        return
    if node.type in ("call_expression", "expression_statement") and node.text.startswith(HINTS):
        return
    for kind, part, new in of_node(node):
        yield Change(kind, part.start_byte + offset, part.end_byte + offset, new, function)
    for number, child in enumerate(node.children):
        condition = node.type in ("preproc_if", "preproc_elif")
        if condition and node.field_name_for_child(number) == "condition":
            continue
        yield from changes(child, function, offset)


def name_of(definition: tree_sitter.Node) -> str:
    """The name of a function that is defined."""
    node = definition.child_by_field_name("declarator")
    while node is not None and node.type != "identifier":
        node = node.child_by_field_name("declarator")
    return node.text.decode() if node is not None else ""


def changes_of_macro(node: tree_sitter.Node) -> Iterator[Change]:
    """The parser keeps a macro's body as text: it is parsed as what it is put into."""
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if name is None or value is None:
        return
    body = value.text.replace(b"\\\n", b" \n")
    for before, after in ((b"", b""), (b"void f(void) {", b"}"), (b"int x = ", b";")):
        tree = parse(before + body + after)
        if not tree.root_node.has_error:
            offset = value.start_byte - len(before)
            yield from changes(tree.root_node, name.text.decode(), offset)
            return


def of_node(node: tree_sitter.Node) -> Iterator[tuple[str, tree_sitter.Node, str]]:
    """(kind, what is replaced, by what) of this very node."""
    match node.type:
        case "binary_expression" | "assignment_expression" | "update_expression":
            operator = node.child_by_field_name("operator")
            old = operator.text.decode() if operator is not None else ""
            if old in KIND_OF:
                for new in OPERATORS[KIND_OF[old]][old]:
                    yield KIND_OF[old], operator, new
        case "unary_expression":
            operator, argument = node.children[0], node.child_by_field_name("argument")
            if operator.text in (b"!", b"~", b"-") and argument is not None:
                kind = "logic" if operator.text == b"!" else "bits"
                yield kind, node, f"({argument.text.decode()})"
        case "number_literal":
            yield from (("constant", node, new) for new in other_numbers(node.text.decode()))
        case "true" | "false":
            yield "constant", node, "false" if node.type == "true" else "true"
        case "expression_statement" if node.named_child_count:
            yield "statement", node, ";"
        case "break_statement" | "continue_statement":
            yield "statement", node, ";"
        case "if_statement" | "conditional_expression":
            condition = node.child_by_field_name("condition")
            if condition is not None:
                yield "condition", condition, "(1)"
                yield "condition", condition, "(0)"
        case "while_statement" | "for_statement" | "do_statement":
            condition = node.child_by_field_name("condition")
            if condition is not None:  # one that is always true is a hang, and no news
                yield "condition", condition, "(0)"
        case "identifier":
            word = node.text.decode()
            for kind, table in (("atomic", ATOMIC), ("order", ORDER)):
                if word in table and not declares(node):
                    yield kind, node, table[word]
        case "string_content":
            yield from instructions(node)


def declares(node: tree_sitter.Node) -> bool:
    return node.parent is not None and node.parent.type in ("function_declarator", "preproc_def")


def other_numbers(text: str) -> list[str]:
    """One more; and one less, where it is not 0."""
    match = re.fullmatch(r"(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)", text)
    if match is None:
        return []
    value, suffix = int(match.group(1), 0), match.group(2)
    return [f"{n}{suffix}" for n in (value + 1, value - 1) if n >= 0]


def instructions(node: tree_sitter.Node) -> Iterator[tuple[str, tree_sitter.Node, str]]:
    text = node.text.decode()
    match = re.match(r"(0: )?([a-z.]+)(?= |$)", text)
    if match is not None and match.group(2) in INSTRUCTIONS:
        new = INSTRUCTIONS[match.group(2)]
        yield "atomic", node, text[: match.start(2)] + new + text[match.end(2) :]


def mutants_of(cmodules: Path, file: str) -> list[Mutant]:
    """All that can be made of one file, in the order of its text."""
    text = (cmodules / file).read_bytes()
    alike: Counter[tuple[str, str, int, str, str]] = Counter()
    made = []
    tree = parse(without_places(text))
    for change in sorted(set(changes(tree.root_node, "")), key=lambda c: (c.start, c.end, c.new)):
        begin = text.rfind(b"\n", 0, change.start) + 1
        end = text.find(b"\n", change.start)
        whole = text[begin:end].decode()
        line = whole.strip().removesuffix("\\").strip()
        column = change.start - begin - (len(whole) - len(whole.lstrip()))
        old = text[change.start : change.end].decode()
        key = (change.function, line, column, old, change.new)
        made.append(
            Mutant(
                file, change.function, line, column, change.kind, old, change.new,
                alike[key], change.start, change.end,
            )
        )  # fmt: skip
        alike[key] += 1
    return made


def in_turn(mutants: list[Mutant], seed: int) -> list[Mutant]:
    """All of them, so that the first n are spread evenly over files, and over kinds in each.

    Within a file and a kind the order is that of a hash of the id: an edit of the source moves
    few of the others.
    """

    def drawn(mutant: Mutant) -> str:
        return hashlib.sha256(f"{seed} {mutant.id}".encode()).hexdigest()

    stacks: dict[str, dict[str, list[Mutant]]] = {}
    for mutant in sorted(mutants, key=drawn):
        stacks.setdefault(mutant.file, {}).setdefault(mutant.kind, []).append(mutant)
    rows = {
        file: [m for turn in turns(list(kinds.values())) for m in turn]
        for file, kinds in stacks.items()
    }
    order = sorted(rows, key=lambda file: hashlib.sha256(f"{seed} {file}".encode()).hexdigest())
    return [m for turn in turns([rows[file] for file in order]) for m in turn]


def turns(stacks: list[list[Mutant]]) -> Iterator[list[Mutant]]:
    """The first of each, then the second of each, and so on."""
    for depth in range(max(map(len, stacks), default=0)):
        yield [stack[depth] for stack in stacks if depth < len(stack)]
