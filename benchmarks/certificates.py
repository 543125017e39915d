"""CPU, size and memory of making signed certificates, one worker on one core.

    python -m benchmarks.certificates [COUNT]

Makes COUNT (default 300) certificates for people with random names and units, in a database
and folders of its own that are removed at the end: laid out, put over the background, signed,
stored and noted in the row, as the worker does it. Prints medians of the CPU time (process
time, so neighbours do not count) of each part, certificates a second and core, sizes, and the
memory of the process after each third of the work.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# What certificates.md promises.
PER_SECOND, LARGEST = 14, 95_000
WARM_UP = 5
# Characters outside GB 2312 in one name of twenty, beyond every weight in one of a hundred.
UNCOMMON, RARE = "喆堃珺祎旻翀昱玥彧瑀", "𠮷㛃"
SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林罗高"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国文斌宇浩凯"
UNITS = (
    "重庆市第一人民医院",
    "示例区农业技术推广站",
    "示例建设工程质量检测中心",
    "示例土家族苗族自治县后坪坝乡人民政府农业服务中心（退役军人服务站）",
)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with tempfile.TemporaryDirectory(prefix="portal-benchmark-") as folder:
        os.environ["PORTAL_VAR"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
        os.environ.setdefault("LOG_LEVEL", "ERROR")
        os.environ.pop("DATABASE_URL", None)
        measure(count)


def make_name(chance: random.Random) -> str:
    name = chance.choice(SURNAMES) + "".join(
        chance.choices(GIVEN, k=chance.choice((1, 2, 2)))
    )
    roll = chance.random()
    if roll < 0.01:
        return name[0] + chance.choice(RARE)
    if roll < 0.06:
        return name + chance.choice(UNCOMMON)
    return name


def resident_mb() -> float:
    """Resident memory of this process; Linux only, 0 elsewhere."""
    try:
        text = Path("/proc/self/statm").read_text()
    except FileNotFoundError:
        return 0.0
    return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1_000_000


class Stopwatch:
    """CPU milliseconds of named steps."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}

    def wrap(self, name: str, work: Callable[..., bytes]) -> Callable[..., bytes]:
        def timed(*args: object, **kwargs: object) -> bytes:
            start = time.process_time()
            result = work(*args, **kwargs)
            self.note(name, start)
            return result

        return timed

    def note(self, name: str, start: float) -> None:
        self.times.setdefault(name, []).append((time.process_time() - start) * 1000)

    def median(self, name: str) -> float:
        return statistics.median(self.times[name])


def measure(count: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    from certificates import documents
    from certificates.services import render_issue

    call_command("migrate", verbosity=0)
    started_mb = resident_mb()
    start = time.process_time()
    documents.background(documents.TEMPLATE_VERSION)
    documents.sealer()
    first_ms = (time.process_time() - start) * 1000
    issues = make_issues(count + WARM_UP)
    for issue_id in issues[:WARM_UP]:
        render_issue(issue_id=issue_id, now=timezone.now())

    watch = Stopwatch()
    documents.compose = watch.wrap("排版并叠加底纹", documents.compose)  # type: ignore[assignment]
    documents.sign = watch.wrap("电子签章", documents.sign)  # type: ignore[assignment]
    sizes, memory = [], [resident_mb()]
    for index, issue_id in enumerate(issues[WARM_UP:], 1):
        start = time.process_time()
        ready = render_issue(issue_id=issue_id, now=timezone.now())
        watch.note("全程（含存储与登记）", start)
        assert ready is not None
        assert ready.state == "ready", ready.failure
        sizes.append(ready.size)
        if index % max(1, count // 3) == 0:
            memory.append(resident_mb())
    report(watch, sizes, memory, first_ms, started_mb)


def make_issues(count: int) -> list[int]:
    """Issue certificates through the service; the papers are not made yet."""
    from django.utils import timezone

    from certificates.services import issue_certificate
    from tests.factories.accounts import ProfileFactory, UserFactory
    from tests.factories.catalog import PlanFactory
    from tests.factories.learning import EnrolmentFactory

    chance, now = random.Random(20260615), timezone.now()
    plan = PlanFactory()
    issues = []
    for _ in range(count):
        person = UserFactory(name=make_name(chance))
        ProfileFactory(person=person, unit_name=chance.choice(UNITS))
        enrolment = EnrolmentFactory(person=person, plan=plan, completed=True)
        issue = issue_certificate(enrolment=enrolment, actor=person, now=now)
        issues.append(issue.pk)
    return issues


def report(
    watch: Stopwatch,
    sizes: list[int],
    memory: list[float],
    first_ms: float,
    started_mb: float,
) -> None:
    whole = watch.median("全程（含存储与登记）")
    rows = [(name, f"{watch.median(name):.1f} ms") for name in watch.times]
    rows += [
        ("每秒每核", f"{1000 / whole:.1f} 张（目标 ≥ {PER_SECOND}）"),
        ("文件大小 中位数", f"{statistics.median(sizes) / 1000:.1f} kB"),
        ("文件大小 最大", f"{max(sizes) / 1000:.1f} kB（目标 ≤ {LARGEST / 1000:.0f}）"),
        ("首张之前（字体、底纹、密钥）", f"{first_ms:.0f} ms"),
        ("常驻内存 框架与各应用", f"{started_mb:.0f} MB"),
        ("常驻内存 制作前后", " → ".join(f"{each:.0f}" for each in memory) + " MB"),
    ]
    lines = [f"{name}：{value}" for name, value in rows]
    sys.stdout.write("\n  ".join([f"{len(sizes)} 张证书，CPU 时间", *lines]) + "\n")


if __name__ == "__main__":
    main()
