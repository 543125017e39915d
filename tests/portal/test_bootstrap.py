"""script/bootstrap on machines that lack something, played with stand-ins for the programs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
NEEDED = (
    *("bash", "sh", "dirname", "uname", "grep", "sed", "tail", "cat", "mktemp", "rm"),
    *("env", "cksum", "tr", "head"),
)


@pytest.fixture
def machine(tmp_path):
    """A checkout and a PATH on which only the named programs exist."""
    checkout = tmp_path / "checkout"
    shutil.copytree(PROJECT / "script", checkout / "script")
    shutil.copytree(PROJECT / "requirements", checkout / "requirements")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in NEEDED:
        (programs / name).symlink_to(shutil.which(name))
    return Machine(checkout, programs)


class Machine:
    def __init__(self, checkout: Path, programs: Path) -> None:
        self.checkout = checkout
        self.programs = programs

    def add(self, name: str, source: str) -> None:
        program = self.programs / name
        program.write_text(f"#!/bin/sh\n{source}\n")
        program.chmod(0o755)

    def bootstrap(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(self.checkout / "script/bootstrap"), *arguments],
            env={"PATH": str(self.programs), "LANG": os.environ.get("LANG", "C.UTF-8")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def bare_debian(machine):
    """Debian with a Python that cannot make environments, for a user without rights."""
    machine.add("uname", "echo Linux")
    machine.add("dpkg-query", "exit 1")
    machine.add("apt-get", "echo apt-get was run; exit 1")
    machine.add("id", "echo 1000")
    machine.add("python3", 'case "$2" in *ensurepip*) exit 1;; esac')
    return machine


def test_without_rights_the_command_to_run_is_named(bare_debian):
    result = bare_debian.bootstrap("--no-browser")

    assert result.returncode == 1
    assert (
        "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0：排版证书"
        in result.stdout
    )
    assert "没有管理员权限" in result.stderr
    assert (
        "sudo apt-get update && sudo apt-get install -y --no-install-recommends"
        " python3 python3-venv libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
        " fonts-babelstone-han"
    ) in result.stderr
    assert "apt-get was run" not in result.stdout + result.stderr
    assert not (bare_debian.checkout / ".venv").exists()


def test_the_tests_need_a_browser_more(bare_debian):
    result = bare_debian.bootstrap()

    assert result.returncode == 1
    assert "libatomic1" in result.stderr
    assert "fonts-noto-cjk" in result.stderr
    assert "poppler-utils" in result.stderr
    assert "chromium" in result.stderr


def test_sudo_is_not_asked_for_a_password_without_a_terminal(bare_debian):
    bare_debian.add("sudo", '[ "$1" = -n ] && exit 1; echo sudo was run')

    result = bare_debian.bootstrap("--no-browser")

    assert result.returncode == 1
    assert "sudo was run" not in result.stdout
    assert "没有管理员权限" in result.stderr


def test_a_failed_installation_stops_and_shows_why(bare_debian):
    bare_debian.add("id", "echo 0")
    bare_debian.add(
        "apt-get", '[ "$1" = update ] && exit; echo "E: no space left"; exit 100'
    )

    result = bare_debian.bootstrap("--no-browser")

    assert result.returncode == 1
    assert "正在安装：apt-get install" in result.stdout
    assert "E: no space left" in result.stderr
    assert "系统软件包安装失败" in result.stderr


@pytest.fixture
def furnished_debian(machine):
    """Debian with all that is required and nothing else, for root; it keeps what apt-get did."""
    machine.add("uname", "echo Linux")
    machine.add("id", "echo 0")
    optional = "fonts-babelstone-han|chromium-headless-shell"
    machine.add(
        "dpkg-query",
        f'case "$3" in {optional}) exit 1;; esac; echo install ok installed',
    )
    machine.add("apt-get", f'echo "$*" >>{machine.programs}/apt-get.log; exit 100')
    for name in ("python3", "chromium"):
        machine.add(name, "exit 0")
    return machine


def test_what_is_optional_is_installed_piece_by_piece_and_may_be_missing(
    furnished_debian,
):
    wanted = ["fonts-babelstone-han"]
    system = Path("/etc/os-release")
    if system.exists() and "ID=debian" in system.read_text().splitlines():
        wanted.append("chromium-headless-shell")

    result = furnished_debian.bootstrap()

    said = (furnished_debian.programs / "apt-get.log").read_text().splitlines()
    install = "install -y --no-install-recommends"
    assert said == ["update", *(f"{install} {name}" for name in wanted)]
    assert "软件包列表未能更新，继续。" in result.stdout
    for name in wanted:
        assert f"可选软件包 {name} 未能安装，继续。" in result.stdout
    assert "正在创建虚拟环境" in result.stdout


def test_other_systems_are_told_what_is_needed(machine):
    machine.add("uname", "echo Linux")

    result = machine.bootstrap("--no-browser")

    assert result.returncode == 1
    assert "本机不是 Debian/Ubuntu" in result.stderr
    assert "pango" in result.stderr


def test_a_mac_without_homebrew_is_told_to_get_it(machine):
    machine.add("uname", "echo Darwin")

    result = machine.bootstrap()

    assert result.returncode == 1
    assert "Homebrew" in result.stderr


def test_homebrew_installs_what_is_missing(machine):
    machine.add("uname", "echo Darwin")
    machine.add("brew", '[ "$1" = list ] && exit 1; echo "brew $*"; exit 1')

    result = machine.bootstrap("--no-browser")

    assert result.returncode == 1
    assert "正在安装：brew install pango python@3.13" in result.stdout
    assert "Homebrew 安装失败" in result.stderr


def test_an_unknown_argument_is_refused(machine):
    result = machine.bootstrap("--fast")

    assert result.returncode == 1
    assert "用法：script/bootstrap [--no-browser]" in result.stderr
