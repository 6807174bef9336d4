"""What functions of machine instructions are turned into before they are interpreted: blocks of steps (see `steps`)."""

from __future__ import annotations

import operator

from septet.x86.abi import stack_words
from septet.x86.steps import ZERO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.x86.instructions import Instruction, Variable
    from septet.x86.steps import Step

# Block.kind: how a block ends
NEXT, BRANCH, CALL, RETURN, ROUTINE_CALL, FLAG_BRANCH, VALUE_CALL, JUMP_CALL, VALUE_JUMP, STOP, C_CALL = range(11)


class Block:
    """Steps that run one after the other, and what comes then.  `kind` says which of the fields mean something."""

    __slots__ = ("steps", "count", "kind", "test", "a", "b", "next", "taken", "target", "arguments", "name", "end", "origins")

    def __init__(self) -> None:
        self.steps: list[tuple[Step, object, object, object]] = []
        self.origins: list[Instruction] = []  # of each step
        self.count = 0  # instructions
        self.kind = NEXT
        self.test: Callable[[int, int], bool] = operator.lt  # BRANCH
        self.a = self.b = ZERO  # BRANCH: the cells compared; VALUE_CALL, JUMP_CALL, VALUE_JUMP: a is the cell of the address
        self.next: Block = self  # what follows, but after returns
        self.taken: Block = self  # BRANCH, FLAG_BRANCH
        self.target: Prepared | None = None  # CALL, JUMP_CALL: the function, where it is known
        self.arguments: list[int] = []  # ROUTINE_CALL: cells; C_CALL: how many words are on the stack
        self.name = ""  # ROUTINE_CALL: the routine; FLAG_BRANCH: the condition
        self.end: Instruction | None = None  # the instruction that ends the block, if one does


class Prepared:
    """A function that can be interpreted, or will be when it is first called (`entry` is None until then)."""

    __slots__ = ("name", "line", "body", "slots", "frame", "variables", "blank", "entry", "labels", "address")

    def __init__(self, name: str, words: int, slots: int, line: int, body: list[Instruction]) -> None:
        self.name = name
        self.line = line
        self.body = body
        self.slots = slots
        self.frame = 8 * (slots + stack_words(words))  # what it moves rsp by
        self.variables: dict[Variable, int] = {}  # their cells
        self.blank: list[None] = []  # as many as there are variables
        self.entry: Block | None = None
        self.labels: dict[str, Block] = {}
        self.address = 0
