"""What may not stand in any file of the repository."""

import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
LINES_OF_PYTHON = 400
BINARY = {
    ".gif",
    ".ico",
    ".jpg",
    ".mp4",
    ".otf",
    ".pdf",
    ".png",
    ".ttf",
    ".webp",
    ".woff",
    ".woff2",
    ".xlsx",
}

# The words are put together here, or this file would hold what it looks for.
FORBIDDEN = {
    "address of a package registry": re.compile(
        r"pypi\.(?:org|tuna)|python"
        r"hosted\.org|npm(?:js\.(?:org|com)|mirror\.com)"
        r"|deb\."
        r"debian\.org|archive\."
        r"ubuntu\.com|mirrors\.[a-z]+\.(?:com|edu)",
    ),
    "path of somebody's machine": re.compile(
        r"(?<![\w.$}])/(?:wo" r"rk|ro" r"ot|fa" r"rm)/[a-z.]|/tmp/l" r"ab"
    ),
    "unfinished work": re.compile(
        r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b|coming" r" soon|敬请" r"期待|暂未" r"开放"
    ),
}


def find_faults(text: str) -> list[str]:
    """Return "3: unfinished work" for every line of `text` with something forbidden."""
    return [
        f"{number}: {name}"
        for number, line in enumerate(text.splitlines(), start=1)
        for name, pattern in FORBIDDEN.items()
        if pattern.search(line)
    ]


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=True
    )
    names = listed.stdout.decode().split("\0")
    return [PROJECT / name for name in names if name and (PROJECT / name).is_file()]


def test_no_file_holds_what_is_forbidden():
    faults = {
        str(path.relative_to(PROJECT)): found
        for path in tracked_files()
        if path.suffix not in BINARY
        if (found := find_faults(path.read_text(encoding="utf-8")))
    }

    assert faults == {}


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("index = https://pypi." + "org/simple", ["1: address of a package registry"]),
        ("\nregistry.npm" + "js.org", ["2: address of a package registry"]),
        ("open('/wo" + "rk/main/x')", ["1: path of somebody's machine"]),
        ("# TO" + "DO: later", ["1: unfinished work"]),
        ("敬请" + "期待", ["1: unfinished work"]),
        ("https://portal.example/wo" + "rk/study and a/ro" + "ot/of", []),
    ],
)
def test_planted_faults_are_found(text, faults):
    assert find_faults(text) == faults


def test_python_files_stay_readable():
    """Over 400 lines a file becomes a package by noun."""
    lengths = {
        str(path.relative_to(PROJECT)): len(path.read_text().splitlines())
        for path in tracked_files()
        if path.suffix == ".py" and "migrations" not in path.parts
    }

    too_long = {name: n for name, n in lengths.items() if n > LINES_OF_PYTHON}
    assert too_long == {}


def test_locks_hold_hashes_and_no_address():
    for name in ("base", "dev", "node", "uv"):
        text = (PROJECT / f"requirements/{name}.txt").read_text()
        assert "://" not in text
        requirements = re.findall(r"^[a-z0-9].*==.*$", text, re.MULTILINE)
        assert requirements
        assert all(line.endswith("\\") for line in requirements), "a hash is missing"
    assert '"resolved"' not in (PROJECT / "package-lock.json").read_text()
