"""What a tile gives, as Python that emits it.

Instructions on vector registers are written with SSE's mnemonics and AVX's operands; `encoded` makes either of them.
"""

from __future__ import annotations

import re

from septet.l3.patterns import HIGH, LOW
from septet.x86 import forms
from septet.x86.registers import NAMED, VECTOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.l3.patterns import Match

SUGAR = {"+=": "add", "-=": "sub", "*=": "imul", "&=": "and", "<<=": "shl", "<-": "mov"}
NO_FORMS = ("fit", "jcc", "setcc", "cmovcc")  # what stands for different instructions
MOVES = ("X_mov", "X_movaps", "X_vmovaps", "X_vmovaps256", "X_vmovaps512")


def encoded(name: str, operands: list[str], vex: bool) -> list[tuple[str, list[str]]]:
    """The instruction or two that `name operands` of a template stands for, in AVX's encoding or in SSE's."""
    if name in NO_FORMS or "/" in name or VECTOR not in forms.op(name).banks or name[0] == "v":
        return [(name, operands)]
    legacy = forms.op(name).access
    if not vex:
        if len(operands) == len(legacy) + 1:
            rest = [operands[0], *operands[2:]]
            return [(name, rest)] if operands[0] == operands[1] else [("movaps", operands[:2]), (name, rest)]
        return [(name, operands)]
    if name[:6] == "cvtsi2":  # the upper half comes from elsewhere: from what nothing must be waited for
        return [("vmovsd", ["%j", "pool 8 0"]), ("v" + name, [operands[0], "%j", operands[1]])]
    if len(operands) < len(forms.op("v" + name).access):
        operands = [operands[0], *operands] if legacy[0] == "rw" else [*operands[:2], *operands[1:]]
    return [("v" + name, operands)]


def split(text: str) -> list[str]:
    """The operands in `text`, which commas divide that are in no brackets."""
    found, depth, start = [], 0, 0
    for at, character in enumerate(text):
        if character in "({[":
            depth += 1
        elif character in ")}]":
            depth -= 1
        elif character == "," and not depth:
            found.append(text[start:at].strip())
            start = at + 1
    return [*found, text[start:].strip()]


class Body:
    """The Python that emits what a tile gives.  `pools` are the constants in memory, with the names they get."""

    def __init__(self, gives: str, match: Match, root: str, vex: bool, pools: dict[str, str]) -> None:
        self.match = match
        self.root = root
        self.vex = vex
        self.pools = pools
        self.lines: list[str] = []
        self.ready: dict[str, str] = {}  # template name -> Python name
        self.code = [
            one for part in re.split(r";(?![^{]*\})", gives) if part.strip() for one in self.instructions(part.strip())
        ]

    def source(self) -> list[str]:
        """The lines, without indentation; what is emitted last is appended first."""
        out = [f"covered[{index}] = 1" for index in self.match.covered] + self.lines
        dangers = self.dangers()
        target = "rd"
        if dangers:
            target = "made"
            move = self.move()
            bank = "general" if move == "mov" else "vector"
            out += ["made = rd", f"if {' or '.join(dangers)}:", f"    made = s.{bank}()", "if made is not rd:"]
            out.append(f"    append(Instruction({_opcode(move)}, (rd, made), span))")
        for op, operands, _ in reversed(self.code):
            texts = [target if text == "rd" else text for text in operands]
            made = f"append(Instruction({op}, ({', '.join(texts)}{',' * (len(texts) == 1)}), span))"
            if op in MOVES and _is_variable(texts[0]) and _is_variable(texts[1]):
                made = f"if {texts[0]} is not {texts[1]}: {made}"
            out.append(made)
        return [*out, "return"]

    def move(self) -> str:
        """The instruction that copies what is of the result's kind."""
        for _, operands, op in self.code:
            if operands and operands[0] == "rd" and op is not None:
                if op.banks[0] != VECTOR:
                    return "mov"
                width = max(op.widths)
                return f"vmovaps{8 * width}" if width > 16 else "vmovaps" if self.vex else "movaps"
        return "mov"

    def dangers(self) -> list[str]:
        """Conditions under which the target is an operand that is still read after the target was first written."""
        written = False
        found: dict[str, None] = {}
        for _, operands, _ in self.code:
            for text in operands if written else ():
                for name in re.findall(r"\br[a-z]\d?\b", text):
                    if name == "rm":
                        found["rd is rm[0] or rd is rm[1]"] = None
                    elif name[1:] in self.match.at:
                        found[f"rd is {name}"] = None
            written = written or bool(operands) and operands[0] == "rd"
        return list(found)

    def instructions(self, text: str) -> list[tuple[str, list[str], forms.Opcode | None]]:
        """What one instruction of the template stands for: opcodes as Python, operands as Python, and opcodes where fixed."""
        words = text.split()
        if words[0] == "cjump":
            a, b, label = self.operand(words[1]), self.operand(words[3]), self.operand(words[4])
            return [(_either(words[2], lambda c: f"CJUMP[{self.condition(c)}]"), [a, b, label], None)]
        if words[0][0] == ":":
            return [("LABEL", [self.operand(words[0]), "s.depth"], None)]
        if len(words) > 1 and words[1] in SUGAR:
            if "cc" in words:
                return [(f"SET[{self.condition('cc')}]", [self.operand(words[n]) for n in (0, 2, 4)], None)]
            target, _, what = text.partition(words[1])
            return [self.made(SUGAR[words[1]], [target.strip(), what.strip()])]
        name, _, rest = text.partition(" ")
        return [self.made(*one) for one in encoded(name, split(rest) if rest else [], self.vex)]

    def made(self, name: str, operands: list[str]) -> tuple[str, list[str], forms.Opcode | None]:
        """One machine instruction."""
        texts = [self.operand(operand) for operand in operands]
        if name == "fit":
            return "FIT[d.type]", texts, forms.op("movzx8")
        for stem, table in (("jcc", "JCC"), ("setcc", "SETCC"), ("cmovcc", "CMOVCC")):
            if name == stem:
                return f"{table}[{self.condition('cc')}]", texts, forms.op("cmove") if stem == "cmovcc" else None
        return _either(name, _opcode), texts, forms.op(name.split("/")[0])

    def condition(self, text: str) -> str:
        """A condition as Python."""
        if text != "cc":
            return repr(text)
        if "cc" not in self.ready:
            op, kind = self.match.compare.split()
            self.ready["cc"] = "cc"
            self.lines.append(f"cc = (SIGNED if {kind}.signed else UNSIGNED)[{op}]")
            if self.root == "br-if":
                self.lines.append("if s.negate: cc = NEGATED[cc]")
        return "cc"

    def operand(self, text: str) -> str:
        """An operand as Python; puts it in a register before, where that is called for."""
        if text[0] == "%":
            return self.variable(text[1:])
        if text[0] == "{":
            return self.match.spell(re.sub(r"\bD\b", "d.type", text[1:-1]))
        if text[:4] == "mem ":
            return self.memory(text)
        if text[:5] == "pool ":
            return self.pool(text)
        if text == ":l":
            return "s.target"
        if text[0] == ":":
            if text not in self.ready:
                self.ready[text] = text[1:]
                self.lines.append(f"{text[1:]} = s.label()")
            return text[1:]
        if text in NAMED:
            return text.upper()
        number = int(text, 0)
        return repr(number - (1 << 64) if number >> 63 == 1 else number)

    def pool(self, text: str) -> str:
        """`pool SIZE NUMBER` or `pool SIZE {code}` as Python."""
        _, size, number = text.split(" ", 2)
        if number[0] == "{":
            return f"Pool(({self.operand(number)}).to_bytes({size}, 'little'))"
        content = int(number, 0).to_bytes(int(size), "little")
        return self.pools.setdefault(repr(content), f"C_{len(self.pools)}")

    def memory(self, text: str) -> str:
        """`mem %x %y*SCALE DISPLACEMENT` as Python."""
        start, displacement = self.address(text)
        return f"new(Mem, ({start}, {displacement}))"

    def address(self, text: str) -> tuple[str, str]:
        """The Python for base, index and scale, and that for the displacement, of `mem %x %y*SCALE DISPLACEMENT`."""
        found = re.fullmatch(r"mem (%\w+)(?: (%\w+)\*(\S+|\{.*?\}))? (\S+|\{.*\})", text)
        assert found is not None, text
        base, index, scale, displacement = found.groups()
        more = f"{self.variable(index[1:])}, {self.operand(scale)}" if index else "None, 1"
        return f"{self.variable(base[1:])}, {more}", self.operand(displacement)

    def variable(self, name: str) -> str:
        """The Python name of template variable `name`, after making it."""
        if name in self.ready:
            return self.ready[name]
        python = self.ready[name] = f"r{name}"
        at = self.match.at.get(name)
        if name == "d":
            value = "regs[d]"
        elif at is None:
            value = "s.vector()" if name[0] in "fghij" else "s.general()"
        elif name == "m":
            value = f"address(s, {at}, {self.match.loads[name]}.offset, at)"
        elif name[0] in "kn":
            value = at
        elif name == "c":
            value = f"s.source({at})"
        elif name[0] == "t":
            value = f"{at} if type({at}) is int and {LOW} <= {at} <= {HIGH} else regs[{at}]"
        elif name[0] == "s":
            value = f"regs[{at}] if type({at}) is Variable else s.source({at})"
        elif name[0] in "uvw":
            value = f"regs[{at}] if type({at}) is Variable else s.float({at}, {self.match.kinds[name]})"
        elif name[0] in "pq":
            value = f"regs[{at}] if type({at}) is Variable else s.pool({at}, {self.match.kinds[name]})"
        else:
            value = f"regs[{at}]"
        self.lines.append(f"{python} = {value}")
        return python


def _is_variable(text: str) -> bool:
    return re.fullmatch(r"r[a-z]\d?|made", text) is not None and text != "rm"


def _either(text: str, spell: object) -> str:
    """`a/b` as Python: b where the branch is negated."""
    assert callable(spell)
    first, slash, second = text.partition("/")
    return f"({spell(second)} if s.negate else {spell(first)})" if slash else str(spell(first))


def _opcode(name: str) -> str:
    forms.op(name)
    return "X_" + re.sub(r"\W", "_", name)
