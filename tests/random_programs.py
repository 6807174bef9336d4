"""Random LB programs, and whether every stage and the machine run them alike.

python tests/random_programs.py 1000 [FIRST]     programs FIRST, FIRST + 1, ...; prints those that some stage runs otherwise
python tests/random_programs.py --show 17        program 17

The generator knows LB alone and nothing of the compiler.  Loops count up to a small number, functions call only ones made
before them (and themselves with a smaller number), so programs end.  Addresses never become numbers, so what is printed is the
same in every run.  Accesses mostly hit; now and then one does not, and the program ends with a run-time error.
"""

from __future__ import annotations

import random
import sys

from stages_alike import report

ARITHMETIC = ("+", "-", "*", "&", "<<", ">>")
COMPARISONS = ("<", "<=", "=", ">=", ">")
SIZES = {1: (8,), 2: (4, 8), 3: (2, 4, 4)}  # of every array but a few, by rank
TUPLE = 6  # elements of a tuple: two numbers, an array, a matrix, a function, a tuple
ELEMENTS = {"int64[]": 2, "int64[][]": 3, "code": 4, "tuple": 5}
TYPES = ("int64", "int64", "int64", "int64", "int64[]", "int64[][]", "int64[][][]", "tuple", "code")
NAMES = tuple("abcdxyz")
EDGES = (
    0,
    1,
    -1,
    2,
    3,
    7,
    8,
    63,
    64,
    65,
    127,
    128,
    255,
    -128,
    4095,
    65536,
    2**31 - 1,
    2**31,
    -(2**31),
    2**32,
    2**61,
    2**62 - 1,
)
WIDE = (2**62, -(2**62), 2**63 - 1, -(2**63), -(2**62) - 1, 2**62 + 12345)


class Function:
    """A function's head: what callers need."""

    def __init__(self, name: str, result: str, parameters: list[tuple[str, str]], recursive: bool = False) -> None:
        self.name = name
        self.result = result
        self.parameters = parameters
        self.recursive = recursive  # its first parameter counts down
        self.uniform = False  # whether `code` variables may hold it


class Body:
    """Makes one function's statements."""

    def __init__(self, maker: Maker, function: Function) -> None:
        self.maker = maker
        self.pick = maker.pick
        self.function = function
        self.lines: list[str] = []
        self.scopes: list[dict[str, str]] = [{name: type for type, name in function.parameters}]
        self.ready = {id(self.scopes[0]): {name for _, name in function.parameters}}
        self.fixed: set[str] = {function.parameters[0][1]} if function.recursive else set()
        self.loops: list[tuple[str, str]] = []  # counter and end label of the loops around
        self.labels = 0
        self.left = maker.pick.randrange(8, 40)

    def say(self, line: str) -> None:
        self.lines.append("  " * len(self.scopes) + line)

    # Names

    def visible(self, type: str, ready: bool = True) -> list[str]:
        """The variables of that type that can be named here."""
        found: dict[str, bool] = {}
        for scope in self.scopes:
            for name, its in scope.items():
                found[name] = its == type and (not ready or name in self.ready[id(scope)])
        return [name for name, fits in found.items() if fits]

    def hidden(self, name: str) -> bool:
        return any(name in scope for scope in self.scopes)

    def callable(self) -> list[Function]:
        return [function for function in self.maker.functions if not self.hidden(function.name)]

    def assigned(self, name: str) -> None:
        for scope in reversed(self.scopes):
            if name in scope:
                self.ready[id(scope)].add(name)
                return

    def target(self, type: str) -> str:
        """A variable that may be assigned to, perhaps a new one."""
        found = [name for name in self.visible(type, ready=False) if name not in self.fixed]
        if found and self.pick.random() < 0.8:
            return self.pick.choice(found)
        return self.declare(type)

    def declare(self, type: str) -> str:
        scope = self.scopes[-1]
        free = [name for name in (*NAMES, *(function.name for function in self.maker.functions)) if name not in scope]
        free = [name for name in free if name not in self.fixed]
        weighted = [name for name in free if name in NAMES] * 6 + free
        name = self.pick.choice(weighted) if weighted else f"v{len(scope)}"
        self.say(f"{type} {name}")
        scope[name] = type
        if type == "int64":
            self.ready[id(scope)].add(name)
        return name

    def label(self) -> str:
        self.labels += 1
        return f":l{self.labels}"

    # Operands

    def number(self) -> str:
        pick = self.pick
        names = self.visible("int64")
        if names and pick.random() < 0.7:
            return pick.choice(names)
        return self.literal()

    def literal(self) -> str:
        chance = self.pick.random()
        if chance < 0.6:
            return str(self.pick.randrange(-9, 20))
        return str(self.pick.choice(EDGES if chance < 0.92 else WIDE))

    def operand(self, type: str) -> str:
        """Something of that type; for objects a variable, made here if there is none."""
        if type == "int64":
            return self.number()
        if type == "code":
            targets = [function.name for function in self.callable() if function.uniform]
            names = [*targets, *self.visible("code")]
            return self.pick.choice(names) if names else self.declare("code")
        names = self.visible(type, ready=self.pick.random() < 0.999)
        return self.pick.choice(names) if names else self.make(type)

    def make(self, type: str) -> str:
        """A new object in a variable."""
        name = self.target(type)
        if type == "tuple":
            size = TUPLE if self.pick.random() < 0.99 else self.pick.choice((0, 1, 3, -1))
            self.say(f"{name} <- new Tuple({size})")
        else:
            sizes = [str(size) for size in SIZES[type.count("[")]]
            if self.pick.random() < 0.01:
                sizes[self.pick.randrange(len(sizes))] = self.pick.choice(("0", "1", "-3", "2147483648"))
            self.say(f"{name} <- new Array({', '.join(sizes)})")
        self.assigned(name)
        return name

    def index(self, size: int) -> str:
        """An index below `size`, a power of two."""
        pick = self.pick
        if pick.random() < 0.002:
            return pick.choice((str(size), "-1", "100", "-4611686018427387904", "9223372036854775807"))
        counters = [counter for counter, _ in self.loops]
        if counters and size >= 8 and pick.random() < 0.4:
            return pick.choice(counters)
        if pick.random() < 0.4:
            return str(pick.randrange(size))
        source, name = self.number(), self.target("int64")
        self.say(f"{name} <- {source} & {size - 1}")
        return name

    # Statements

    def statements(self, most: int) -> None:
        for _ in range(self.pick.randrange(1, most + 1)):
            if self.left <= 0:
                return
            self.left -= 1
            self.pick.choice(STATEMENTS)(self)

    def arithmetic(self) -> None:
        pick = self.pick
        left, right = self.number(), self.number()
        op = pick.choice(ARITHMETIC if pick.random() < 0.75 else COMPARISONS)
        if op in ("<<", ">>") and pick.random() < 0.7:
            right = str(pick.randrange(0, 70))
        self.say(f"{self.target('int64')} <- {left} {op} {right}")

    def assign(self) -> None:
        type = self.pick.choice(TYPES)
        source = self.operand(type)
        name = self.target(type)
        if not (type == "code" and self.hidden(source) and source == name):
            self.say(f"{name} <- {source}")
            self.assigned(name)

    def compare_references(self) -> None:
        type = self.pick.choice(TYPES[4:])
        left = self.operand(type)
        right = self.operand(type) if self.pick.random() < 0.5 else "0"
        named = self.visible(type, ready=False)
        if left in named and (right in named or right == "0"):
            self.say(f"{self.target('int64')} <- {left} = {right}")

    def element(self) -> None:
        pick = self.pick
        rank = pick.choice((1, 1, 2, 3))
        name = self.operand("int64" + "[]" * rank)
        least = min(SIZES[rank])  # for all, as one variable may hold several
        indices = "".join(f"[{index}]" for index in [self.index(least) for _ in range(rank)])
        if name not in self.visible("int64" + "[]" * rank, ready=False):
            return  # an index's variable has hidden it
        if pick.random() < 0.5:
            self.say(f"{name}{indices} <- {self.number()}")
        else:
            target = self.target("int64")
            if name in self.visible("int64" + "[]" * rank, ready=False):
                self.say(f"{target} <- {name}{indices}")

    def tuple_element(self) -> None:
        pick = self.pick
        type = pick.choice(("int64", "int64", *ELEMENTS))
        name = self.operand("tuple")
        at = str(ELEMENTS[type]) if type in ELEMENTS else self.index(2)
        store = pick.random() < 0.6
        other = self.operand(type) if store else self.target(type)
        if name not in self.visible("tuple", ready=False):
            return
        if store:
            self.say(f"{name}[{at}] <- {other}")
        else:
            self.say(f"{other} <- {name}[{at}]")

    def length(self) -> None:
        rank = self.pick.choice((0, 1, 2, 3))
        type = "int64" + "[]" * rank if rank else "tuple"
        name = self.operand(type)
        dimension = f" {self.pick.randrange(rank)}" if rank else ""
        if rank and self.visible("int64") and self.pick.random() < 0.3:
            dimension = f" {self.target('int64')}"
            self.say(f"{dimension[1:]} <- {self.number()} & {0 if rank == 1 else 1}")
        target = self.target("int64")
        if name in self.visible(type, ready=False):
            self.say(f"{target} <- length {name}{dimension}")

    def new(self) -> None:
        self.make(self.pick.choice(("int64[]", "int64[][]", "int64[][][]", "tuple")))

    def show(self) -> None:
        type = self.pick.choice(TYPES)
        names = self.visible(type)
        if names:
            self.say(f"print({self.pick.choice(names)})")

    def read(self) -> None:
        self.say(f"{self.target('int64')} <- input()")

    def call(self) -> None:
        found = self.callable()
        if not found:
            return
        function = self.pick.choice(found)
        args = [self.operand(type) for type, _ in function.parameters]
        if function.recursive:
            args[0] = str(self.pick.randrange(0, 5))
        self._call(function.name, function.result, args, [type for type, _ in function.parameters])

    def recurse(self) -> None:
        own = self.function
        if not own.recursive or self.hidden(own.name) or self.loops:
            return
        args = [self.operand(type) for type, _ in own.parameters]
        self.say(f"int64 {(name := f'less{self.label()[2:]}')}")
        self.say(f"{name} <- {own.parameters[0][1]} - 1")
        self._call(own.name, own.result, [name, *args[1:]], [type for type, _ in own.parameters])

    def call_value(self) -> None:
        names = self.visible("code")
        if self.function.uniform or not names:
            return
        arity = self.maker.arity if self.pick.random() < 0.99 else 1
        args = [self.operand("int64") for _ in range(arity)]
        self._call(self.pick.choice(names), "int64", args, ["int64"] * arity)

    def _call(self, callee: str, result: str, args: list[str], types: list[str]) -> None:
        target = ""
        if result != "void" and self.pick.random() < 0.85:
            name = self.target(result)
            target = f"{name} <- "
        for used, type in [*zip(args, types, strict=True), (callee, "code")]:
            if self.hidden(used) and used not in self.visible(type, ready=False):
                return  # a declaration above has hidden it
        self.say(f"{target}{callee}({', '.join(args)})")
        if target:
            self.assigned(name)

    # Control

    def inside(self, most: int) -> None:
        """Some statements, mostly in a scope of their own; what they make ready is not taken to be so afterwards."""
        before = {key: set(names) for key, names in self.ready.items()}
        braces = self.pick.random() < 0.7
        if braces:
            self.say("{")
            self.scopes.append(scope := {})
            self.ready[id(scope)] = set()
        self.statements(most)
        if braces:
            self.scopes.pop()
            self.say("}")
        for scope in self.scopes:
            kept = before[id(scope)]
            self.ready[id(scope)] = kept | {name for name, type in scope.items() if type == "int64"}

    def test(self) -> str:
        return f"{self.number()} {self.pick.choice(COMPARISONS)} {self.number()}"

    def scope(self) -> None:
        self.inside(4)

    def branch(self) -> None:
        pick = self.pick
        then, other, end = self.label(), self.label(), self.label()
        self.say(f"if ({self.test()}) {then} {other}")
        for label in (then, other) if pick.random() < 0.6 else (other, then):
            self.say(label)
            self.inside(3)
            if pick.random() < 0.8:
                self.say(f"goto {end}")
        self.say(end)

    def skip(self) -> None:
        """A jump over some statements, declarations perhaps among them."""
        end, go = self.label(), self.label()
        self.say(f"if ({self.test()}) {end} {go}")
        self.say(go)
        self.statements(3)
        self.say(end)

    def leave(self) -> None:
        """A conditional `break`, `continue`, or `return`."""
        pick = self.pick
        if pick.random() < 0.7 and not self.loops:
            return
        go, end = self.label(), self.label()
        self.say(f"if ({self.test()}) {go} {end}")
        self.say(go)
        kind = pick.choice(("break", "continue", "goto", "return")) if self.loops else "return"
        if kind == "return":
            self.give_back()
        elif kind == "goto":
            self.say(f"goto {pick.choice(self.loops)[1]}")
        else:
            if kind == "continue":
                self.say(f"{self.loops[-1][0]} <- {self.loops[-1][0]} + 1")
            self.say(kind)
        self.say(end)

    def loop(self) -> None:
        if len(self.loops) >= 3:
            return
        begin, end = self.label(), self.label()
        counter = f"k{begin[2:]}"
        self.say(f"int64 {counter}")
        self.scopes[-1][counter] = "int64"
        self.ready[id(self.scopes[-1])].add(counter)
        self.fixed.add(counter)
        most = self.pick.choice((1, 2, 3, 5, 8))
        head = f"while ({counter} < {most}) {begin} {end}"
        after = self.pick.random() < 0.2  # the test stands at the end
        if not after:
            self.say(head)
        self.say(begin)
        if not after:
            self.loops.append((counter, end))
        self.inside(6)
        if not after:
            self.loops.pop()
        self.say(f"{counter} <- {counter} + 1")
        self.say(head if after else "continue")
        self.say(end)

    def give_back(self) -> None:
        result = self.function.result
        if result == "void":
            self.say("return")
            return
        value = self.operand(result) if result in ("int64", "code") else ([*self.visible(result), ""])[0]
        self.say(f"return {value}".rstrip())

    def finish(self) -> None:
        if self.function.name == "main":
            self.say("{")  # what is in scope
            for type in ("int64", "tuple", "int64[]", "int64[][]", "int64[][][]", "code"):
                for name in self.visible(type):
                    self.say(f"print({name})")
            self.say("}")
        elif self.pick.random() < 0.7:
            for name in self.visible("int64")[:6]:
                self.say(f"print({name})")
        if self.pick.random() < 0.95:
            self.give_back()


STATEMENTS = (
    [Body.arithmetic] * 10
    + [Body.element] * 7
    + [Body.tuple_element, Body.loop, Body.branch, Body.call, Body.call_value] * 3
    + [Body.assign, Body.leave, Body.show, Body.new] * 2
    + [Body.compare_references, Body.length, Body.read, Body.scope, Body.skip, Body.recurse]
)


class Maker:
    """Makes one program."""

    def __init__(self, number: int) -> None:
        self.pick = random.Random(number)
        self.functions: list[Function] = []
        self.arity = self.pick.choice((0, 1, 2, 3, 5, 6, 7, 10))  # of the functions that variables hold

    def head(self, number: int) -> Function:
        pick = self.pick
        uniform = pick.random() < 0.5
        count = self.arity if uniform else pick.choice((0, 1, 2, 3, 4, 6, 7, 8, 10))
        recursive = not uniform and pick.random() < 0.3
        types = ["int64" if uniform else pick.choice(TYPES) for _ in range(count)]
        if recursive:
            types[:1] = ["int64"]
        result = "int64" if uniform else pick.choice((*TYPES, "void", "void"))
        names = pick.sample(NAMES, 4) + [f"p{n}" for n in range(6)]
        function = Function(f"f{number}", result, list(zip(types, names, strict=False)), recursive)
        function.uniform = uniform
        return function

    def body(self, function: Function) -> str:
        body = Body(self, function)
        if function.recursive:
            body.say(f"if ({function.parameters[0][1]} <= 0) :done :work")
            body.say(":done")
            body.say("return")
            body.say(":work")
        while body.left > 0:
            body.statements(12)
        body.finish()
        parameters = ", ".join(f"{type} {name}" for type, name in function.parameters)
        return "\n".join([f"{function.result} {function.name}({parameters}) {{", *body.lines, "}", ""])

    def program(self) -> str:
        texts = []
        for number in range(self.pick.randrange(0, 6)):
            function = self.head(number)
            texts.append(self.body(function))
            self.functions.append(function)
        texts.append(self.body(Function("main", "void", [])))
        self.pick.shuffle(texts)
        return "".join(texts)


def program(number: int) -> str:
    """Random program `number`; the same on every run."""
    return Maker(number).program()


if __name__ == "__main__":
    sys.exit(report(program, "lb", sys.argv[1:]))
