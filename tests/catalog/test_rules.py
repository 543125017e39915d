from catalog.rules import (
    CourseFacts,
    CreditSum,
    PlanFacts,
    find_course_problems,
    find_plan_problems,
    plan_price_fen,
    sum_credits,
)


def plan(**changes: int) -> PlanFacts:
    facts = {
        "hours": 30,
        "price_fen": 3300,
        "required_credits": 30,
        "compulsory_credits": 20,
        "elective_credits": 10,
    }
    return PlanFacts(**(facts | changes))


def course(credits: int, *, compulsory: bool = False, **changes: object) -> CourseFacts:
    return CourseFacts(
        title="课程",
        credits=credits,
        chapter_count=1,
        is_compulsory=compulsory,
        **changes,  # type: ignore[arg-type]
    )


def test_prices_of_the_official_notices() -> None:
    assert plan_price_fen(per_hour=True, unit_price_fen=110, hours=30) == 3300
    assert plan_price_fen(per_hour=True, unit_price_fen=150, hours=60) == 9000
    assert plan_price_fen(per_hour=False, unit_price_fen=3300, hours=30) == 3300


def test_credits_are_summed_by_kind() -> None:
    courses = [course(20, compulsory=True), course(5), course(5)]

    assert sum_credits(courses) == CreditSum(compulsory=20, elective=10)
    assert sum_credits(courses).total == 30


def test_plan_that_can_be_finished_has_no_problems() -> None:
    courses = [course(20, compulsory=True), course(10)]

    assert find_plan_problems(plan(), courses) == []


def test_missing_electives_are_named() -> None:
    courses = [course(20, compulsory=True), course(10, compulsory=True)]

    assert find_plan_problems(plan(), courses) == ["选修课程合计 0 学分，不足 10 学分"]


def test_every_missing_sum_is_named() -> None:
    courses = [course(19, compulsory=True), course(9)]

    assert find_plan_problems(plan(), courses) == [
        "必修课程合计 19 学分，不足 20 学分",
        "选修课程合计 9 学分，不足 10 学分",
        "全部课程合计 28 学分，不足 30 学分",
    ]


def test_plan_without_anything() -> None:
    empty = plan(
        price_fen=0, required_credits=20, compulsory_credits=0, elective_credits=0
    )

    assert find_plan_problems(empty, []) == [
        "要求学分 20 与学时 30 不一致",
        "全部课程合计 0 学分，不足 20 学分",
        "没有设定当前价格",
        "没有课程",
    ]


def test_course_problems_are_part_of_the_plans() -> None:
    draft = course(10, is_published=False, unplayable=["第一章"])

    problems = find_plan_problems(plan(), [course(20, compulsory=True), draft])

    assert problems == [
        "课程《课程》尚未发布",
        "课程《课程》的章节“第一章”没有可播放的视频",
    ]


def test_course_without_chapters_or_credits() -> None:
    facts = CourseFacts(title="空课程", credits=0, chapter_count=0)

    assert find_course_problems(facts) == [
        "课程《空课程》没有学分",
        "课程《空课程》没有章节",
    ]
