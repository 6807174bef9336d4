"""Run the course's programs (../shared/course) through every interpreter from their language down, and count.

    python bench/course_agreement.py [STEPS]

Prints a row a language and stage: programs that finished within STEPS (10^7 by default) and agreed with their expected
output, that differed, and that ran out of steps.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "tests"))

import conftest  # noqa: E402

from septet.pipeline import LANGUAGES  # noqa: E402

COURSE = ROOT.parent / "shared" / "course"


def main() -> None:
    """Measure and print."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 10**7
    finished = runs = 0
    for language in LANGUAGES:
        samples = conftest.samples(COURSE / language.upper())
        for stage in LANGUAGES[LANGUAGES.index(language) :]:
            agree = differ = out_of_steps = 0
            for sample in samples:
                program = conftest.compiled(sample.path, 0)
                result = program.interpret(stage, sample.stdin, steps)
                if result.inconclusive:
                    out_of_steps += 1
                elif result.stdout == sample.stdout:
                    agree += 1
                else:
                    differ += 1
                    print(f"  {sample.path.name} differs at {stage}")
            runs += agree + differ + out_of_steps
            finished += agree + differ
            print(f"{language} programs at {stage}: {agree} agree, {differ} differ, {out_of_steps} out of steps", flush=True)
    print(f"{finished} of {runs} runs finished: {finished / runs:.2%}")


if __name__ == "__main__":
    main()
