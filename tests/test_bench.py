"""`septet bench` and the kernels: each prints what it must at every level and in C; figures add up.  No time is asserted."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import septet
from septet.base.options import Options
from septet.bench import checks, compile_time, history, plot, report
from septet.bench.measure import Figures, interleaved, run
from septet.bench.programs import Item, Trouble, collect
from septet.bench.ways import way_of

ROOT = Path(__file__).parent.parent
KERNELS = sorted((ROOT / "bench" / "kernels").glob("*.lb"))
COURSE = ROOT.parent / "shared" / "course" / "performance"
SUM = """int64 sum(int64[] a) {
  int64 i, s, n
  n <- length a 0
  :again
  if (i < n) :body :done
  :body
  {
    int64 x
    x <- a[i]
    s <- s + x
    i <- i + 1
    goto :again
  }
  :done
  return s
}
void main() {
  int64[] a
  int64 s
  a <- new Array(3)
  s <- sum(a)
  print(s)
  return
}
"""


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "septet", "bench", *words], capture_output=True, text=True, cwd=ROOT, timeout=120
    )


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "sum.lb"
    path.write_text(SUM)
    (tmp_path / "sum.out").write_text("0\n")
    return path


def test_there_are_enough_kernels_each_with_everything() -> None:
    assert len(KERNELS) >= 21
    for path in KERNELS:
        for extension in (".c", ".in", ".out", ".small.in", ".small.out"):
            assert path.with_suffix(extension).exists(), path.stem + extension


@pytest.mark.parametrize("opt", [0, 1, 2, 3])
@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.stem)
def test_kernel(path: Path, opt: int) -> None:
    result = septet.read(str(path), opt=opt).run(stdin=path.with_suffix(".small.in").read_bytes(), capture=True)
    assert (result.stdout, result.status) == (path.with_suffix(".small.out").read_text(), 0)


@pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
@pytest.mark.parametrize("path", [path.with_suffix(".c") for path in KERNELS], ids=lambda path: path.stem)
def test_twin(path: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "twin")
    subprocess.run(["gcc", "-O0", "-Wall", "-Wextra", "-Werror", "-o", out, str(path)], check=True)
    done = subprocess.run([out], input=path.with_suffix(".small.in").read_bytes(), capture_output=True, timeout=60)
    assert (done.stdout, done.returncode) == (path.with_suffix(".small.out").read_bytes(), 0)


@pytest.mark.skipif(not shutil.which("gcc") or not COURSE.exists(), reason="needs gcc and the course's programs")
@pytest.mark.parametrize("path", sorted((ROOT / "bench" / "course").glob("*.c")), ids=lambda path: path.stem)
def test_twin_of_a_course_program(path: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "twin")
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", out, str(path)], check=True)
    done = subprocess.run([out], input=(COURSE / f"{path.stem}.in").read_bytes(), capture_output=True, timeout=60)
    assert done.stdout == (COURSE / f"{path.stem}.out").read_bytes()


def test_table_and_files(program: Path, tmp_path: Path) -> None:
    (tmp_path / "sum.c").write_text('#include <stdio.h>\nint main(void) { puts("0"); }\n')
    names = {key: str(tmp_path / f"result.{key}") for key in ("csv", "html", "json")}
    words = ["--runs", "2", "--csv", names["csv"], "--plot", names["html"], "--save", names["json"]]
    done = bench(str(program), "--against", "septet-O0,gcc-99-O2", *words)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "septet: note: gcc-99 is not installed; gcc-99-O2 is left out\n"
    assert done.stdout.split()[:2] == ["program", "septet-O2"]
    assert "geometric mean" in done.stdout
    head, own, rival = (tmp_path / "result.csv").read_text().splitlines()
    assert head == "program,way,runs,average,median,minimum,maximum,ratio,problem"
    assert own.startswith("sum,septet-O2,2,") and rival.startswith("sum,septet-O0,2,")
    assert "<td>sum</td>" in (tmp_path / "result.html").read_text()
    kept = json.loads((tmp_path / "result.json").read_text())
    assert kept["kind"] == "run" and kept["machine"] and kept["interpreter"] and "--runs 2" in kept["command"]
    assert [len(found["times"]) for found in kept["results"]] == [2, 2]


def test_wrong_output_is_noticed(program: Path, tmp_path: Path) -> None:
    (tmp_path / "sum.out").write_text("1\n")
    done = bench(str(program), "--runs", "1")
    assert done.returncode == 1
    assert done.stderr == "septet: sum: septet-O2: wrong output\n"


def test_regression_gives_status_1(program: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    history.save(str(old), "compile", "", [Figures("sum", "septet-O2", [1e-9]), Figures("gone", "septet-O2", [1.0])])
    done = bench("--compile", str(program), "--runs", "1", "--baseline", str(old))
    assert done.returncode == 1 and "REGRESSION" in done.stdout
    history.save(str(old), "compile", "", [Figures("sum", "septet-O2", [1000.0])])
    done = bench("--compile", str(program), "--runs", "1", "--baseline", str(old))
    assert done.returncode == 0 and "better" in done.stdout


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--runs", "0"], 2, "--runs wants a number from 1 up, not '0'"),
        (["--runs", "many"], 2, "--runs wants a number from 1 up, not 'many'"),
        (["--against", "rustc"], 2, "--against 'rustc': a rival is like gcc-O2"),
        (["--against", "septet-O2-without-nothing"], 2, "--against 'septet-O2-without-nothing': a rival is like"),
        (["--without", "nothing"], 2, "--without 'nothing' is no pass"),
        (["--budget", "5%"], 2, "--budget needs a --baseline"),
        (["--budget", "much", "--baseline", "x"], 2, "--budget wants percent, such as 5%, not 'much'"),
        (["--plot", "x.png"], 2, "--plot wants a file called .svg or .html"),
        (["--compile", "--checks"], 2, "--compile or --checks, not both"),
        (["--compile", "--against", "gcc-O2"], 2, "--against is for run time"),
        (["--checks", "--runs", "2"], 2, "--runs measures nothing with --checks"),
        (["--baseline", "/nowhere"], 1, "/nowhere: No such file or directory"),
        (["--baseline", "pyproject.toml"], 1, "pyproject.toml: not a result that septet bench --save wrote"),
        (["nowhere.lb"], 1, "nowhere.lb: No such file or directory"),
        (["pyproject.toml"], 2, "cannot tell the language of 'pyproject.toml'"),
        (["docs"], 1, "docs: no programs there"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_usage(words: list[str], status: int, said: str, program: Path) -> None:
    done = bench(str(program), *words)
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stderr.startswith(f"septet: {said}")
    assert "Traceback" not in done.stderr


def test_a_bad_program_is_diagnosed(tmp_path: Path) -> None:
    (tmp_path / "bad.lb").write_text("void main() {\n  x <- 3\n}\n")
    for mode in ([], ["--compile"], ["--checks"]):
        done = bench(str(tmp_path / "bad.lb"), *mode)
        assert done.returncode == 1
        assert f"{tmp_path / 'bad.lb'}:2:3: error: there is no variable 'x' here" in done.stderr


def test_help() -> None:
    done = bench("--help")
    assert done.returncode == 0 and "usage: septet bench [FILE... | DIR...] [options]" in done.stdout


def test_items_of_a_folder(tmp_path: Path) -> None:
    for name in ("b.lb", "a.LB", "a.out", "b.in", "b.small.out", "b.small.in", "b.out", "notes.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "twins").mkdir()
    (tmp_path / "twins" / "a.c").write_text("")
    first, second = collect([str(tmp_path)], [str(tmp_path / "twins")])
    assert (first.name, first.language, first.stdin, first.expected) == ("a", "lb", "", b"a.out")
    assert first.twin == str(tmp_path / "twins" / "a.c") and not second.twin
    assert (second.stdin, second.expected) == (str(tmp_path / "b.in"), b"b.out")
    assert collect([str(tmp_path / "b.lb")], [], small=True)[0].expected == b"b.small.out"


def test_runs_that_go_wrong(tmp_path: Path) -> None:
    for name, text in (("kill", "kill -SEGV $$"), ("sleep", "exec sleep 60"), ("three", "echo 3"), ("fail", "exit 4")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    item = Item("x", "x.lb", "lb", "", b"3\n", "")
    names = {name: str(tmp_path / name) for name in ("kill", "three", "fail")}
    found = interleaved(item, names, runs=2, warmups=1, limit=20)
    assert [each.problem for each in found.values()] == ["SIGSEGV", "", "wrong output"]
    assert [len(each.times) for each in found.values()] == [0, 2, 0]
    item.expected = None
    assert interleaved(item, {"fail": names["fail"]}, 1, 0, 20)["fail"].problem == "status 4"
    assert run(str(tmp_path / "sleep"), "", 0.05)[1] is None
    with pytest.raises(Trouble, match="cannot be run"):
        run(str(tmp_path / "nowhere"), "", 1)


def test_ratios_and_means() -> None:
    results = [
        {"a": Figures("p", "a", [2.0, 4.0, 3.0]), "b": Figures("p", "b", [1.0, 1.0, 5.0])},
        {"a": Figures("q", "a", [4.0]), "b": Figures("q", "b", [3.0])},
        {"a": Figures("r", "a", [0.001]), "b": Figures("r", "b", [0.004])},  # too short to count
        {"a": Figures("s", "a", [1.0]), "b": Figures("s", "b", [], "wrong output")},
        {"a": Figures("t", "a", [1.0])},
    ]
    assert report.geometric_mean(results, "a", "b") == pytest.approx(2.0)
    lines = report.run_table(results, ["a", "b"]).splitlines()
    assert lines[1].split() == "p 3.000 s 3.000 s 2.000 s 4.000 s 1.000 s 3.00".split()
    assert lines[3].endswith("(0.25)") and lines[4].endswith("wrong output") and lines[5].endswith("-")
    assert lines[6].split() == ["geometric", "mean", "2.00"]
    assert "p,b,3,2.333333,1.000000,1.000000,5.000000,3.0000," in report.run_csv(results)


def test_a_regression_is_median_and_minimum() -> None:
    old = [Figures("p", "septet-O2", [1.0, 1.0]), Figures("q", "septet-O2", [1.0]), Figures("p", "gcc-O2", [1.0])]
    slower = [Figures("p", "septet-O2", [1.1, 1.1]), Figures("p", "gcc-O2", [9.0])]
    assert history.compare(slower, old, 0.05)[1] == 1
    assert history.compare(slower, old, 0.20)[1] == 0
    assert history.compare([Figures("p", "septet-O2", [1.0, 1.5, 1.5])], old, 0.05)[1] == 0  # as fast as it was, once
    assert history.compare([Figures("q", "septet-O2", [], "wrong output")], old, 0.05)[1] == 1
    with pytest.raises(Trouble, match="nothing here"):
        history.compare([Figures("new", "septet-O2", [1.0])], old, 0.05)


def test_history_refuses_another_kind(tmp_path: Path) -> None:
    path = str(tmp_path / "x.json")
    history.save(path, "run", "", [Figures("p", "septet-O2", [1.0])])
    assert history.load(path, "run")[1][0].times == [1.0]
    with pytest.raises(Trouble, match="measures run time, not compile time"):
        history.load(path, "compile")


@pytest.mark.parametrize(
    "name", ["gcc-O2", "gcc-O3-native", "gcc-12-Os", "clang-O2", "septet-O0", "septet-O2-without-simplify"]
)
def test_names_of_ways(name: str) -> None:
    way = way_of(name)
    assert way is not None and way.name == name


@pytest.mark.parametrize("name", ["gcc", "gcc-O9", "septet", "septet-O4", "rm-O2", "septet-O2-without-linearise"])
def test_what_is_no_way(name: str) -> None:
    assert way_of(name) is None


def test_checks_of_innermost_loops(program: Path, tmp_path: Path) -> None:
    found = checks.find(collect([str(program)], [])[0], Options(0))
    assert found.loops == 1
    assert [(check.function, check.line, check.kind) for check in found.left if check.kind == "index"] == [("sum", 9, "index")]
    assert f"{program}:9:5: index check in the loop" in checks.report([found])
    done = bench(str(program), "--checks", "-O0", "--csv", str(tmp_path / "checks.csv"))
    assert done.returncode == 0 and ":9:5: index check" in done.stdout
    assert "sum,sum,9,5,index,0" in (tmp_path / "checks.csv").read_text()


def test_compile_time_by_step(program: Path) -> None:
    found = compile_time.measure(collect([str(program)], [])[0], "septet-O1", Options(1), 2)
    assert len(found.figures.times) == 2 and found.lines >= 24 and found.size > 0 and found.megabytes > 0
    assert list(found.steps)[0] == "read" and {"LAc", "simplify", "linearise", "IRc", "L1c", "link"} <= set(found.steps)
    text = compile_time.report([found])
    assert "lines/s" in text and "simplify" in text
    assert compile_time.csv([found]).splitlines()[-1].startswith("sum,septet-O1,")


def test_svg(tmp_path: Path) -> None:
    results = [{"a": Figures("p", "a", [2.0]), "b": Figures("p", "b", [1.0])}]
    path = tmp_path / "x.svg"
    try:
        plot.check(str(path))
    except Trouble as problem:
        assert "needs matplotlib, which is not installed" in str(problem)
        pytest.skip("needs matplotlib")
    plot.plot(str(path), results, ["a", "b"], "title")
    assert "<svg" in path.read_text()
