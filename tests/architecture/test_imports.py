"""The contracts of import-linter hold, and would notice if they did not."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
APPS = ("accounts", "catalog", "learning", "orders", "certificates", "invoices")
LINTER = Path(sys.executable).parent / "lint-imports"

# File, line added to it, contract that must break.
PLANTED = [
    ("catalog/models.py", "import learning.models", "apps import downwards only"),
    (
        "learning/models.py",
        "import portal.health",
        "apps know nothing of the project but portal.lib",
    ),
    ("orders/helpers.py", "", "inside an app"),
    ("certificates/models.py", "import orders.models", "certificates know no money"),
    ("invoices/models.py", "import learning.models", "invoices read orders only"),
    (
        "portal/views.py",
        "import orders.payments",
        "providers stay private to orders",
    ),
    (
        "accounts/models/__init__.py",
        "def later():\n    import celery",
        "services do not know Celery",
    ),
    (
        "portal/content/forms.py",
        "import portal.content.services",
        "forms validate, they do not act",
    ),
]


def lint(folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [LINTER, "--no-logo", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy_of_the_code(tmp_path):
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    for name in (*APPS, "portal"):
        shutil.copytree(
            PROJECT / name,
            tmp_path / name,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    return tmp_path


def test_every_contract_is_kept():
    result = lint(PROJECT)

    assert result.returncode == 0, result.stdout
    assert "8 kept, 0 broken" in result.stdout


def test_every_contract_notices_a_planted_fault(copy_of_the_code):
    for name, line, _contract in PLANTED:
        file = copy_of_the_code / name
        text = file.read_text() if file.exists() else ""
        file.write_text(f"{text}\n{line}\n")
    (copy_of_the_code / "portal/content/services.py").touch()

    result = lint(copy_of_the_code)

    assert result.returncode == 1, result.stdout + result.stderr
    broken = re.findall(r"^(.*) BROKEN", result.stdout, re.MULTILINE)
    assert broken == [contract for _name, _line, contract in PLANTED]
