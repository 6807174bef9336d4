"""What a wheel brings ready made is what its sources give now."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from septet.pipeline import GENERATED, generated

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", GENERATED)
def test_generating_twice_gives_the_same(name: str) -> None:
    assert generated(name) == generated(name)


def installed(name: str) -> Path | None:
    """The file of an installed wheel with that path in the package, if there is one."""
    try:
        files = metadata.files("septet") or []
    except metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if str(file) == f"septet/{name}"), None)


@pytest.mark.parametrize("name", GENERATED)
def test_the_wheel_is_fresh(name: str) -> None:
    shipped = installed(f"_generated/{name}.py")
    if shipped is None:
        pytest.skip("no wheel is installed; a source checkout generates in memory")
    assert shipped.read_text(encoding="utf-8") == generated(name)


def test_the_wheel_has_every_source() -> None:
    if installed("pipeline.py") is None:
        pytest.skip("no wheel is installed")
    for path in (ROOT / "septet").rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            shipped = installed(path.relative_to(ROOT / "septet").as_posix())
            assert shipped is not None, path
            assert shipped.read_bytes() == path.read_bytes(), path
