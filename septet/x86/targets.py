"""The levels of x86-64 that code is made for, and the features that each has (System V psABI, "Micro-architecture levels").

A target's name is a level (`x86-64-v1` to `x86-64-v4`), perhaps with features of higher levels behind it, in order:
`x86-64-v2+lzcnt+movbe`.  A set of features is an int, a bit each.
"""

from __future__ import annotations

LEVELS: dict[str, str] = {
    "x86-64-v1": "sse2",
    "x86-64-v2": "sse3 ssse3 sse4.1 sse4.2 popcnt",
    "x86-64-v3": "avx avx2 bmi1 bmi2 f16c fma lzcnt movbe",
    "x86-64-v4": "avx512f avx512bw avx512cd avx512dq avx512vl",
}
"""The features that each level adds to those of the level before."""

BASELINE = "x86-64-v1"
FEATURES: dict[str, int] = {name: 1 << n for n, name in enumerate(" ".join(LEVELS.values()).split())}
_IN_CPUINFO = {"sse3": "pni", "sse4.1": "sse4_1", "sse4.2": "sse4_2", "lzcnt": "abm"}
_KNOWN: dict[str, int] = {}
_VECTOR = "avx", "avx2", "f16c", "fma", *LEVELS["x86-64-v4"].split()  # without avx none of these can be used


def _levels() -> dict[str, int]:
    """All features of each level."""
    found: dict[str, int] = {}
    bits = 0
    for level, names in LEVELS.items():
        bits |= bits_of(names)
        found[level] = bits
    return found


def bits_of(names: str) -> int:
    """The set of the features named, between blanks.  KeyError where there is none of such a name."""
    return sum([FEATURES[name] for name in names.split()])


def features(target: str) -> int:
    """The features of a target.  ValueError where there is no such target; what it says ends a sentence."""
    found = _KNOWN.get(target)
    if found is None:
        level, *extras = target.split("+")
        levels = _levels()
        if level not in levels:
            raise ValueError(f"no target {target!r}{_hint(level, [*levels, 'native'])}")
        found = levels[level]
        for extra in extras:
            if extra not in FEATURES:
                raise ValueError(f"no feature {extra!r} in target {target!r}{_hint(extra, list(FEATURES))}")
            found |= FEATURES[extra]
        _KNOWN[target] = found
    return found


def _hint(word: str, known: list[str]) -> str:
    from septet.base.diagnostics import did_you_mean

    return "; " + (did_you_mean(word, known) or f"there are {', '.join(known)}")


VEX = bits_of(f"{LEVELS['x86-64-v2']} avx")  # what code in AVX's encoding takes for granted


def has_vex(bits: int) -> bool:
    """Whether floats and vectors are worked on in AVX's encoding where there are these features."""
    return bits & VEX == VEX


def named(bits: int) -> str:
    """The target that has just these features: the highest level that has no others, and what is left over."""
    level, has = BASELINE, FEATURES["sse2"]
    for name, wanted in _levels().items():
        if wanted & ~bits == 0:
            level, has = name, wanted
    return "+".join([level, *[name for name, bit in FEATURES.items() if bits & bit & ~has]])


def native() -> str:
    """The target that is this machine; `x86-64-v1` where nothing says what it has."""
    return named(machine())


def machine() -> int:
    """The features of this machine, as the system reports them."""
    flags: list[str] = []
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("flags"):
                    flags = line.partition(":")[2].split()
                    break
    except OSError:
        pass
    has = {name for name in FEATURES if _IN_CPUINFO.get(name, name) in flags}
    if "avx" not in has:
        has -= set(_VECTOR)
    return sum([FEATURES[name] for name in has]) | FEATURES["sse2"]


def canonical(name: str) -> str:
    """The one name of the target that a person calls `name`: `native` is this machine.  ValueError where there is none."""
    return native() if name == "native" else named(features(name))


def require(target: str) -> None:
    """Rejected where this machine cannot run code for `target`."""
    if target == BASELINE:
        return
    lacking = missing(target)
    if lacking:
        from septet.base.diagnostics import Diagnostic, Rejected

        what = f"this machine cannot run code for {target}: it has no {', '.join(lacking)}"
        raise Rejected([Diagnostic(what, hint="'native' is the target that is this machine")])


def missing(target: str) -> list[str]:
    """The features of `target` that this machine lacks; its program cannot run here if there are any."""
    lacking = features(target) & ~machine()
    return [name for name, bit in FEATURES.items() if lacking & bit]
