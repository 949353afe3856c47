"""CEL behind one small interface: checked when a rule is saved, within a budget when it runs.

The library bounds the depth of what it parses (32) and the turns of loops (10,000), not memory: so
joining of text inside loops and loops that make lists within loops are refused when saved, and what
comes in is bounded when it runs. Steps are counted, never wall time.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from cel_expr_python import cel
from msgspec import Struct

from hub.domain import money
from hub.errors import HubError
from hub.rules import fields, syntax
from hub.rules.fields import UnknownField
from hub.rules.problems import Problem, RuleInvalid, problem
from hub.rules.syntax import Node, Tree
from hub.rules.text import Place

SOURCE_CHARS_MAX = 2_000
PATTERN_CHARS_MAX = 200
JOINS_MAX = 8
LOOPS_DEEP_MAX = 2
TEXT_CHARS_MAX = 4_096
ITEMS_MAX = 20_000
DEPTH_MAX = 32
RESULT_ITEMS_MAX = 1_000
TOTAL_CHARS_MAX = 256 * 1024
INT_MAX = 2**63 - 1
_PLACE = re.compile(r"<input>:(-?\d+):(-?\d+): (.*)")
_NUMBERS = {"add_int64", "add_uint64", "add_double"}
_COMPARISONS = {"_>_", "_<_", "_>=_", "_<=_", "_==_", "_!=_", "_+_", "_-_", "_*_", "_/_"}
_BIG = (None, "array", "object")
_DECIMAL = "a decimal number as string"


class ExpressionFailed(HubError):
    """An expression has no result for this input."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Expression(Struct, frozen=True):
    """A checked expression. returns: the name of its CEL type. reads: the paths it names."""

    source: str
    program: Any
    returns: str
    reads: frozenset[str]


def compile_checked(
    source: str, types: Iterable[str], path: str = "$", place: Place = (1, 1)
) -> Expression:
    """Check an expression against the fields of these events. Raises `RuleInvalid`.

    place: where the expression begins in its document; problems count from there.
    """
    if len(source) > SOURCE_CHARS_MAX:
        size = f"{len(source)} characters"
        words = {"what": "the expression", "size": size, "limit": SOURCE_CHARS_MAX}
        raise RuleInvalid([problem("too_large", path, place, **words)])
    try:
        program = _environment().compile(source)
    except (RuntimeError, ValueError) as error:
        raise RuleInvalid(_compile_problems(str(error), path, place)) from None
    tree = syntax.read(program.serialize())
    found = _Limits(source, tree, list(types), (path, place))
    found.visit(tree.root, {}, 0)
    if found.problems:
        raise RuleInvalid(found.problems)
    return Expression(source, program, program.return_type().name(), frozenset(found.reads))


def activation(event: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
    """What expressions read, made once for a fact. Raises `ExpressionFailed` if it is too large."""
    check_bounds(data)
    return handed(event, data)


def check_bounds(data: Mapping[str, Any]) -> None:
    """Raises `ExpressionFailed` if a fact is too large for expressions."""
    if not _is_small(data):
        _bound(data, "data")


def handed(event: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
    """What expressions read, of a fact that is known to be within bounds."""
    return _environment().Activation({"event": dict(event), "data": dict(data)})


def evaluate(expression: Expression, bound: Any) -> Any:
    """The result as plain values. Raises `ExpressionFailed`. bound: of `activation`."""
    try:
        result = expression.program.eval(bound)
        value = result.plain_value()
        if value is True or value is False:
            return value
        kind = result.type().name()
    except (RuntimeError, ValueError, TypeError, OverflowError, MemoryError) as error:
        raise _failed(str(error)) from None
    if kind == "ERROR":
        raise _failed(str(value))
    if isinstance(value, str) and len(value) > TEXT_CHARS_MAX:
        raise ExpressionFailed("result_too_large", f"the result is above {TEXT_CHARS_MAX} signs")
    if isinstance(value, (list, dict)) and len(value) > RESULT_ITEMS_MAX:
        raise ExpressionFailed("result_too_large", f"the result is above {RESULT_ITEMS_MAX} items")
    return value


@cache
def _environment() -> Any:
    text, number, kinds = cel.Type.STRING, cel.Type.INT, cel.Type
    functions = [
        cel.FunctionDecl(
            "money",
            [
                cel.Overload("money_text", number, [text], False, lambda t: _minor(t, "CNY")),
                cel.Overload("money_text_currency", number, [text, text], False, _minor),
            ],
        ),
        cel.FunctionDecl(
            "quantity", [cel.Overload("quantity_text", number, [text], False, _milli)]
        ),
    ]
    variable = kinds.Map(text, kinds.DYN)
    return cel.NewEnv(variables={"event": variable, "data": variable}, functions=functions)


def _minor(value: str, currency: str) -> int:
    return money.minor(value, currency)


def _milli(value: str) -> int:
    return money.milli(value)


class _Limits:
    """Walks a tree: refuses what could grow without bound, and fields that events do not have."""

    def __init__(self, source: str, tree: Tree, types: list[str], at: tuple[str, Place]) -> None:
        self._source, self._tree, self._types = source, tree, types
        self._path, self._place = at
        self._joins = 0
        self.problems: list[Problem] = []
        self.reads: set[str] = set()

    def visit(self, node: Node, bound: dict[str, str], depth: int, making: bool = False) -> None:
        if node.kind == "select" and self._field(node, bound, depth) is not None:
            return
        if node.kind == "loop":
            self._loop(node, bound, depth, making)
            return
        if node.kind == "call":
            self._call(node, bound, depth)
        for child in node.children:
            self.visit(child, bound, depth, making)

    def _loop(self, node: Node, bound: dict[str, str], depth: int, making: bool) -> None:
        makes_list = node.children[1].kind == "list"
        if depth + 1 > LOOPS_DEEP_MAX:
            self._wrong("cel_nested", node, why=f"more than {LOOPS_DEEP_MAX} deep")
        if makes_list and depth > 0:
            self._wrong("cel_nested", node, why="a list made for each item of another")
        self.visit(node.children[0], bound, depth, making)
        over = self._path_of(node.children[0], bound)
        inner = bound | {node.name: f"{over}[*]" if over else ""}
        assert node.step is not None
        step = node.step
        if makes_list:  # the macro's own `result + [item]`, which is bounded by the turns
            step = _without_accumulation(step, node.accumulator)
        self.visit(step, inner, depth + 1, makes_list)

    def _call(self, node: Node, bound: dict[str, str], depth: int) -> None:
        if node.name == "_+_" and not set(self._tree.overloads.get(node.id, ["?"])) <= _NUMBERS:
            self._joins += 1
            if depth:
                self._wrong("cel_concatenation", node, why="in a loop")
            elif self._joins > JOINS_MAX:
                self._wrong("cel_concatenation", node, why=f"more than {JOINS_MAX} times")
        if node.name == "matches":
            pattern = node.children[-1].value
            if not isinstance(pattern, str) or len(pattern) > PATTERN_CHARS_MAX:
                self._wrong("cel_pattern", node, limit=PATTERN_CHARS_MAX)
        if node.name in _COMPARISONS and len(node.children) == 2:
            one, other = node.children
            self._compare(one, other, bound)
            self._compare(other, one, bound)

    def _compare(self, one: Node, other: Node, bound: dict[str, str]) -> None:
        is_number = other.kind == "const" and isinstance(other.value, (int, float))
        if not is_number or isinstance(other.value, bool):
            return
        path = self._path_of(one, bound)
        for event_type in self._types if path else ():
            try:
                schema = fields.schema_at(event_type, fields.steps(path))
            except (UnknownField, ValueError):
                return
            if schema.get("description") == _DECIMAL:
                self._wrong("cel_number_text", one, name=self._written(one))
                return

    def _field(self, node: Node, bound: dict[str, str], depth: int) -> str | None:
        path = self._path_of(node, bound)
        if not path:
            return None
        self.reads.add(path)
        if depth and path.startswith("data.") and not self._is_small(path, node, bound):
            # What stands there would be copied in each turn: memory by the square of the input.
            self._wrong("cel_nested", node, why=f"{path} is read again in each turn")
        for event_type in self._types:
            try:
                fields.schema_at(event_type, fields.steps(path))
            except UnknownField as unknown:
                words = {"event": event_type, "name": unknown.name, "near": unknown.near}
                self._wrong("unknown_field", node, **words)
                break
        return path

    def _is_small(self, path: str, node: Node, bound: dict[str, str]) -> bool:
        """Whether it belongs to a loop's own variable, or is a plain value."""
        while node.kind == "select":
            node = node.children[0]
        if node.name in bound:
            return True
        for event_type in self._types:
            try:
                if fields.schema_at(event_type, fields.steps(path)).get("type") in _BIG:
                    return False
            except (UnknownField, ValueError):
                return False
        return bool(self._types)

    def _path_of(self, node: Node, bound: dict[str, str]) -> str:
        if node.kind == "ident":
            return bound.get(node.name, node.name if node.name in ("event", "data") else "")
        if node.kind == "select":
            above = self._path_of(node.children[0], bound)
            return f"{above}.{node.name}" if above else ""
        return ""

    def _written(self, node: Node) -> str:
        if node.kind == "select":
            return f"{self._written(node.children[0])}.{node.name}"
        return node.name

    def _wrong(self, code: str, node: Node, **words: object) -> None:
        before = self._source[: self._tree.offsets.get(node.id, 0)]
        line, column = before.count("\n"), len(before) - (before.rfind("\n") + 1)
        place = _shifted(self._place, line + 1, column + 1)
        self.problems.append(problem(code, self._path, place, **words))


def _without_accumulation(step: Node, accumulator: str) -> Node:
    """A step without the calls that add to the accumulator: `accumulator + [item]` -> [item]."""
    is_own = step.kind == "call" and step.name == "_+_" and step.children[0].name == accumulator
    if is_own:
        return step.children[1]
    if step.kind == "call" and step.name == "_?_:_":
        step.children = [_without_accumulation(one, accumulator) for one in step.children]
    return step


def _compile_problems(message: str, path: str, place: Place) -> list[Problem]:
    found = [
        problem("cel", path, _shifted(place, int(line), int(column)), why=why.strip()[:300])
        for line, column, why in _PLACE.findall(message)
    ]
    return found or [problem("cel", path, place, why=message.splitlines()[0][:300])]


def _shifted(place: Place, line: int, column: int) -> Place:
    """A place within the expression as a place in the document."""
    line, column = max(line, 1), max(column, 1)
    return (place[0] + line - 1, column + place[1] - 1 if line == 1 else column)


def _failed(reason: str) -> ExpressionFailed:
    code = "expression_failed"
    for sign, name in (
        ("Iteration budget", "budget_exceeded"),
        ("bad_alloc", "budget_exceeded"),
        ("divide by zero", "divided_by_zero"),
        ("modulus by zero", "divided_by_zero"),
        ("Key not found", "field_missing"),
        ("overflow", "number_too_large"),
        ("out of range", "number_too_large"),
    ):
        if sign in reason:
            code = name
    return ExpressionFailed(code, reason[:300])


def _is_small(data: Mapping[str, Any]) -> bool:
    """Whether it is far within all bounds, as most facts are: quicker than to find which is not."""
    level: list[Any] = [data]
    items = chars = 0
    for _ in range(DEPTH_MAX):
        below: list[Any] = []
        for whole in level:
            items += len(whole)
            for one in whole.values() if isinstance(whole, dict) else whole:
                if isinstance(one, str):
                    chars += len(one)
                elif isinstance(one, (dict, list)):
                    below.append(one)
                elif isinstance(one, int) and not -INT_MAX <= one <= INT_MAX:
                    return False
        if not below:
            return items < ITEMS_MAX and chars <= TEXT_CHARS_MAX
        level = below
    return False


def _bound(value: Any, path: str) -> None:
    waiting = [(value, path, 0)]
    items = chars = 0
    while waiting:
        one, where, depth = waiting.pop()
        items += 1
        if isinstance(one, str):
            chars += len(one)
            if len(one) > TEXT_CHARS_MAX or chars > TOTAL_CHARS_MAX:
                raise ExpressionFailed("input_too_large", f"{where}: too much text")
        elif isinstance(one, (dict, list)):
            pairs = one.items() if isinstance(one, dict) else enumerate(one)
            waiting += [(inner, f"{where}.{name}", depth + 1) for name, inner in pairs]
            if depth > DEPTH_MAX or items + len(waiting) > ITEMS_MAX:
                raise ExpressionFailed("input_too_large", f"{where} is too deep or has too much")
        elif isinstance(one, int) and not -INT_MAX <= one <= INT_MAX:
            raise ExpressionFailed("number_too_large", f"{where} is beyond 64 bits")
