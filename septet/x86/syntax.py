"""The syntax of one machine instruction and of its operands, which L2 and L1 share."""

from __future__ import annotations

from septet.base.diagnostics import did_you_mean
from septet.base.scan import (
    ARROW,
    FUNCTION,
    LABEL,
    NAME,
    NUMBER,
    VARIABLE,
    Cursor,
    Scanner,
    SyntaxProblem,
    line_operand,
    literal,
)  # fmt: skip
from septet.base.symbols import DATA as DATA_SYMBOL
from septet.base.symbols import FUNCTION as FUNCTION_SYMBOL
from septet.base.symbols import LABEL as LABEL_SYMBOL
from septet.base.symbols import ROUTINE as ROUTINE_SYMBOL
from septet.base.symbols import symbol
from septet.ops.routines import ROUTINES
from septet.x86 import forms
from septet.x86.abi import ARGUMENTS, c_caller
from septet.x86.instructions import POOL_SIZES, Mem, Pool, Variable
from septet.x86.registers import NAMED, NAMES, VECTOR, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.base.scan import Tokens
    from septet.base.symbols import Data
    from septet.x86.forms import Operand
    from septet.x86.instructions import Op

    Parts = tuple[Op, tuple[Operand, ...]]

SCANNER = Scanner(
    r"//[^\n]*|\"(?:[^\"\\]|\\.)*\"?|[%@:][A-Za-z_]\w*|[A-Za-z_]\w*(?:-[A-Za-z]\w*)*|0x[0-9A-Fa-f]+|\d+"
    r"|<-|<<=|>>=|<=|>=|!=|\+\+|--|\+=|-=|\*=|&=|\S",
    "<<= >>= <= >= != ++ -- += -= *= &= < > = + - * @",
)
UPDATES = {
    "+=": forms.ADD, "-=": forms.SUB, "*=": forms.IMUL, "&=": forms.AND, "<<=": forms.SHL, ">>=": forms.SAR,
}  # fmt: skip
STEPS = {"++": forms.INC, "--": forms.DEC}
KEYWORDS = ["goto", "cjump", "call", "call-c", "return", "roots", "mem", "stack-arg", "line"]
REGISTER = "a register or a variable"
MOST_WORDS = 1 << 20  # parameters or stack slots of a function


class InstructionReader(Cursor):
    """Reads instructions.  `virtual`: there are variables (L2)."""

    __slots__ = ("virtual", "data", "variables")

    def __init__(self, tokens: Tokens, virtual: bool) -> None:
        super().__init__(tokens)
        self.virtual = virtual
        self.data: dict[str, Data] = {}  # by name
        self.variables: dict[str, Variable] = {}  # of the function being read

    def statement(self) -> Parts:
        """The instruction here, which is not a label.  Raises SyntaxProblem."""
        return self._STATEMENTS.get(self.text, InstructionReader._other)(self)

    def _other(self) -> Parts:
        """An instruction that starts with no keyword: an assignment or an opcode."""
        text = self.text
        if self.kind == VARIABLE or text in NAMED:
            return self._assignment()
        if self.kind == NAME and forms.known(text):
            return self._general()
        hint = ""
        if self.kind == NAME:
            hint = _other_name(text) or did_you_mean(text, [*KEYWORDS, *NAMED, *forms.names()])
        if self.kind == NAME and self.kinds[self.at + 1] != ARROW:
            self.tokens.complain(self.at, f"there is no instruction {self.tokens.spelled(self.at)}", hint)
        else:
            self.tokens.complain(self.at, f"expected an instruction, found {self.tokens.spelled(self.at)}", hint)
        raise SyntaxProblem

    def _general(self) -> Parts:
        """`opcode operand, operand`."""
        start = self.at
        name = self.text
        self.at += 1
        op = forms.op(name)
        operands: list[Operand] = []
        if op.access and self.same_line():
            operands.append(self._operand())
            while self.accept(","):
                operands.append(self._operand())
        if len(operands) != len(op.access):
            op = forms.op(name, len(operands))
            wanted = len(op.access)
            if len(operands) != wanted:
                plural = "" if wanted == 1 else "s"
                self.tokens.complain(start, f"'{name}' takes {wanted} operand{plural}, found {len(operands)}")
                raise SyntaxProblem
        if VECTOR in op.banks:
            self._vectors(op, operands)
        return op, tuple(operands)

    def _vectors(self, op: forms.Opcode, operands: list[Operand]) -> None:
        """Variables where only a vector register can be are of that bank."""
        for index, operand in enumerate(operands):
            if isinstance(operand, Variable):
                if all(form.places[index].bank == VECTOR for form in op.forms if form.places[index].bank >= 0):
                    operand.bank = VECTOR

    def _assignment(self) -> Parts:
        """`w <- ...`, `w += t`, `w++`, `w @ w w E`, and what starts with memory."""
        target = self._operand(REGISTER)
        text = self.text
        if text == "<-":
            self.at += 1
            return self._arrow(target)
        if text in UPDATES:
            self.at += 1
            return UPDATES[text], (target, self._operand())
        if text in STEPS:
            self.at += 1
            return STEPS[text], (target,)
        if text == "@" or self.kind == FUNCTION and text[1:] in NAMED:
            return self._address(target)
        self.fail("'<-', '+=', '-=', '*=', '&=', '<<=', '>>=', '++', '--' or '@'")
        raise AssertionError

    def _arrow(self, target: Operand) -> Parts:
        if self.text == "stack-arg":
            self.at += 1
            return forms.STACK_ARG, (target, self._displacement())
        source = self._operand("a register, a number, memory, a function or a label")
        compared = self._comparison()
        if compared is None:
            return forms.MOV, (target, source)
        return forms.SET[compared[0]], (target, source, compared[1])

    def _address(self, target: Operand) -> Parts:
        if self.text == "@":
            self.at += 1
            base = self._register()
        else:  # `w @rdi rsi 4`
            base = NAMED[self.text[1:]]
            self.at += 1
        index = self._register()
        return forms.LEA, (target, Mem(base, 0, index, self._scale()))

    def _comparison(self) -> tuple[str, Operand] | None:
        """A comparison's symbol and its right side, if they stand here."""
        text = self.text
        if text == "<-":  # as in `cjump x<-1 :l`
            value = literal(self.texts[self.at + 1]) if self.kinds[self.at + 1] == NUMBER else None
            if value is None or value > 1 << 63:
                self.fail("a number to compare with")
            self.at += 2
            return "<", -value  # type: ignore[operator]
        if text not in forms.CONDITIONS:
            return None
        self.at += 1
        if self.text == "u" and text not in ("=", "!="):
            self.at += 1
            text += "u"
        return text, self._operand("a register or a number")

    def _goto(self) -> Parts:
        self.at += 1
        return forms.JMP, (self._target(),)

    def _cjump(self) -> Parts:
        self.at += 1
        left = self._operand("a register or a number")
        compared = self._comparison()
        if compared is None:
            self.fail(f"a comparison ({' '.join(forms.CONDITIONS)})")
            raise AssertionError
        return forms.CJUMP[compared[0]], (left, compared[1], self._target())

    def _return(self) -> Parts:
        self.at += 1
        results: list[Operand] = []
        while self.text[:3] == "xmm" and self.text in NAMED and self.same_line():
            results.append(NAMED[self.text])
            self.at += 1
        return forms.RETURN, tuple(results)

    def _roots(self) -> Parts:
        self.at += 1
        places: list[Operand] = []
        while self.same_line() and (self.kind == VARIABLE or self.text == "mem" or self.text in NAMED):
            places.append(self._operand())
            if not self.accept(","):
                break
        return forms.ROOTS, tuple(places)

    def _call(self) -> Parts:
        self.at += 1
        if self.kind == FUNCTION:
            callee = self._operand()
        elif self.kind == VARIABLE or self.text in NAMED:
            callee = self._register()
        elif self.text in ROUTINES:
            return self._routine()
        else:
            hint = ""
            if self.kind == NAME:
                known = [name[1:] for name in self.texts if name[:1] == "@" and len(name) > 1]
                hint = f"functions are written '@{self.text}'" if self.text in known else did_you_mean(self.text, ROUTINES)
            self.tokens.complain(self.at, f"expected what to call, found {self.tokens.spelled(self.at)}", hint)
            raise SyntaxProblem
        if self.text == "(":
            return forms.CALL, (callee, *self._arguments())
        return forms.CALL_JUMP, (callee, self.number("the number of arguments", 0, MOST_WORDS))

    def _call_c(self) -> Parts:
        self.at += 1
        caller = c_caller(self.number("the number of words on the stack", 0, MOST_WORDS))
        return forms.CALL_C, (caller, *self._arguments())

    def _arguments(self) -> list[Register]:
        registers: list[Register] = []
        self.expect("(")
        if not self.accept(")"):
            while True:
                register = NAMED.get(self.text)
                if register is None:
                    self._no_operand("a register")
                    raise AssertionError
                registers.append(register)
                self.at += 1
                if self.accept(")"):
                    break
                if not self.accept(","):
                    self.fail("',' or ')'")
        return registers

    def _routine(self) -> Parts:
        routine = ROUTINES[self.text]
        callee = symbol(ROUTINE_SYMBOL, routine.name)
        self.at += 1
        start = self.at
        if self.text == "(":
            registers = self._arguments()
        else:
            registers = ARGUMENTS[: self.number("the number of arguments", 0, len(ARGUMENTS))]
        if len(registers) not in routine.arities:
            wanted = " or ".join(map(str, routine.arities))
            self.tokens.complain(start, f"'{routine.name}' takes {wanted} arguments, not {len(registers)}")
            raise SyntaxProblem
        return forms.CALL_ERROR if routine.ends else forms.CALL, (callee, *registers)

    # Operands

    def _operand(self, what: str = "an operand") -> Operand:
        at = self.at
        kind = self.kinds[at]
        text = self.texts[at]
        if kind == VARIABLE:
            return self._variable(text)
        if kind == NAME:
            register = NAMED.get(text)
            if register is not None:
                self.at += 1
                return register
            if text == "mem":
                return self._memory()
            if text == "pool":
                return self._pool()
            if text == "line":
                self.at += 1
                return line_operand(self)
        elif kind == NUMBER or text in ("-", "+"):
            return self.number(what)
        elif kind == FUNCTION:
            self.at += 1
            return symbol(DATA_SYMBOL if text[1:] in self.data else FUNCTION_SYMBOL, text[1:])
        elif kind == LABEL:
            self.at += 1
            return symbol(LABEL_SYMBOL, text[1:])
        self._no_operand(what)
        raise AssertionError

    def _variable(self, text: str) -> Variable:
        variable = self.variables.get(text)
        if variable is None:
            if not self.virtual:
                self.tokens.complain(self.at, f"expected a register, found '{text}'", "L1 has no variables")
                raise SyntaxProblem
            variable = self.variables[text] = Variable(text[1:])
        self.at += 1
        return variable

    def _register(self) -> Register | Variable:
        if self.kind == VARIABLE:
            return self._variable(self.text)
        register = NAMED.get(self.text)
        if register is None:
            self._no_operand(REGISTER if self.virtual else "a register")
            raise AssertionError
        self.at += 1
        return register

    def _memory(self) -> Mem:
        self.at += 1
        base = self._register()
        index = None
        scale = 1
        if self.kind == VARIABLE or self.text in NAMED:
            index = self._register()
            if not self.accept("*"):
                self.fail("'*' and 1, 2, 4 or 8 after the index")
            scale = self._scale()
        return Mem(base, self._displacement(), index, scale)

    def _pool(self) -> Pool:
        self.at += 1
        start = self.at
        size = self.number("the size of a constant in bytes")
        if size not in POOL_SIZES:
            self.tokens.wanted(start, "4, 8, 16, 32 or 64")
            raise SyntaxProblem
        text = self.text
        if self.kind != NUMBER:
            self.fail("the number that the constant is, its lowest byte first,")
        value = int(text, 0) if text[:2] == "0x" or len(text) < 20 else 1 << 512
        if value >> 8 * size:
            self.tokens.complain(self.at, f"the number does not fit in {size} bytes")
            raise SyntaxProblem
        self.at += 1
        return Pool(value.to_bytes(size, "little"))

    def _scale(self) -> int:
        at = self.at
        scale = self.number("1, 2, 4 or 8")
        if scale not in (1, 2, 4, 8):
            self.tokens.wanted(at, "1, 2, 4 or 8")
            raise SyntaxProblem
        return scale

    def _displacement(self) -> int:
        return self.number("a displacement in bytes", -1 << 31, (1 << 31) - 1)

    def _target(self) -> Operand:
        return symbol(LABEL_SYMBOL, self.take(LABEL, "a label")[1:])

    def _no_operand(self, what: str) -> None:
        hint = ""
        if self.kind == NAME:
            hint = _other_name(self.text) or did_you_mean(self.text, [*NAMED, "mem", "pool", "line"])
        if not self.virtual:
            what = what.replace(" or a variable", "")
        self.tokens.complain(self.at, f"expected {what}, found {self.tokens.spelled(self.at)}", hint)
        raise SyntaxProblem

    _STATEMENTS: dict[str, Callable[[InstructionReader], Parts]] = {
        "mem": _assignment,
        "goto": _goto,
        "cjump": _cjump,
        "return": _return,
        "call": _call,
        "call-c": _call_c,
        "roots": _roots,
    }


def _other_name(text: str) -> str:
    """A hint where `text` is a narrower register's name."""
    for width, names in NAMES.items():
        if width != 64 and text in names:
            return f"registers have their 64-bit names: '{NAMES[64][names.index(text)]}'"
    return ""
