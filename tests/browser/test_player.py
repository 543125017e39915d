"""The player in Chromium: a real clip, a real clock, real beats."""

import re
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from accounts.services.sessions import begin_session
from catalog.models import Chapter
from learning.models import (
    ChapterProgress,
    Enrolment,
    PersonClock,
    PlaySession,
    Prompt,
)
from tests.browser.learner import watch_until
from tests.browser.player_page import play, player_url, run
from tests.browser.waiting import wait_until
from tests.factories.learning import ChapterProgressFactory, wrong_option

pytestmark = pytest.mark.django_db(transaction=True)

# A figure of one second stands for one second: a busy machine looks away for longer.
SOME_SECONDS = re.compile(r"^00:0[2-5]$")


def test_a_plan_is_watched_to_its_end(
    player: Page, enrolment: Enrolment, settings: Any
):
    settings.LEARNING = settings.LEARNING | {"first_prompt_seconds": 2}
    page = player
    page.goto("/training/")
    page.get_by_role("link", name="进入学习").click()
    page.get_by_role("link", name="课程学习").click()
    play(page)

    dialog = page.get_by_role("dialog", name="学习确认")
    expect(dialog).to_be_visible()
    assert run(page, "return video.paused") is True
    prompt = Prompt.objects.get()
    expect(dialog).to_contain_text(prompt.stem)
    assert prompt.correct_option not in page.locator("#player-config").inner_text()
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    dialog.locator(f"input[value='{prompt.correct_option}']").check()
    dialog.get_by_role("button", name="提交答案").click()
    expect(dialog).to_be_hidden()

    watch_until(page, page.locator("[data-done]"))
    expect(page.locator("[data-done-text]")).to_have_text("本章节已完成")
    expect(page.locator("[data-chapter='1'] [aria-label='已完成']")).to_be_visible()
    expect(page.locator("[data-percent]")).to_have_text("100%")
    page.get_by_role("link", name="下一章节").click()
    play(page)
    watch_until(page, page.locator("[data-done]"))
    expect(page.locator("[data-done-text]")).to_have_text(
        "恭喜您，本计划的学分要求已全部完成，已结业"
    )
    expect(page.locator("[data-plan-percent]")).to_have_text("100%")

    page.get_by_role("link", name="返回课程列表").first.click()
    expect(page.locator(".study-head")).to_contain_text("已结业")
    enrolment.refresh_from_db()
    assert enrolment.state == Enrolment.State.COMPLETED


def test_the_live_lines_move(player: Page):
    play(player)

    expect(player.locator("[data-pending]")).to_have_text(SOME_SECONDS)
    expect(player.locator("[data-status]")).to_have_text("学习中，正在计时")
    # In thousandths: the browser may have played a little before it said so.
    start = re.compile(r"^\d{1,2}(\.|$)")
    expect(player.locator("rect.strip-pending").first).to_have_attribute("x", start)


def test_nothing_is_skipped_and_nothing_is_sped_up(player: Page):
    play(player)
    expect(player.locator("[data-pending]")).not_to_have_text("00:00")

    landed_at = run(
        player,
        "video.currentTime = 5.5; return new Promise("
        "done => { video.onseeked = () => done(video.currentTime); });",
    )

    assert landed_at < 5
    expect(player.locator("[data-status]")).to_have_text("未学习的部分不能快进")
    run(player, "video.playbackRate = 2;")
    expect(player.locator("[data-status]")).to_have_text("未学部分按 1 倍速计时")
    expect(player.locator("video")).to_have_js_property("playbackRate", 1)


def test_going_back_is_free_and_the_rest_still_counts(player: Page):
    play(player)
    expect(player.locator("[data-pending]")).to_have_text(SOME_SECONDS)

    run(player, "video.currentTime = 0.5;")

    watch_until(player, player.locator("[data-done]"))
    expect(player.locator("[data-done-text]")).to_have_text("本章节已完成")
    expect(player.locator("[data-reasons]")).to_contain_text("重复观看")


def test_leaving_and_coming_back_goes_on(player: Page, enrolment: Enrolment):
    play(player)
    expect(player.locator("[data-pending]")).to_have_text(SOME_SECONDS)
    player.goto("/training/")
    # The page's last report travels while the next page is being shown.
    wait_until(player, PlaySession.objects.filter(ended_at__isnull=False).exists)
    assert PlaySession.objects.get().end == PlaySession.End.CLOSED
    left_at = ChapterProgress.objects.get().position_ms

    player.goto(player_url(enrolment.plan))

    expect(player.locator("[data-status]")).to_contain_text("上次学习的位置")
    assert abs(run(player, "return video.currentTime") * 1000 - left_at) < 100
    play(player)
    watch_until(player, player.locator("[data-done]"))
    assert PlaySession.objects.count() == 2


def test_a_second_window_takes_over_and_the_first_says_so(
    player: Page,
    context: BrowserContext,
    enrolment: Enrolment,
    expected_console_errors: list[str],
):
    expected_console_errors += ["409"]
    second = context.new_page()
    second.goto(player_url(enrolment.plan, 2))
    play(player)
    expect(player.locator("[data-pending]")).not_to_have_text("00:00")
    play(second)

    notice = player.locator("[data-notice]")
    expect(notice).to_contain_text("其他窗口或设备")
    assert run(player, "return video.paused") is True
    second.close()
    notice.get_by_role("button", name="在此继续学习").click()
    expect(notice).to_be_hidden()
    expect(player.locator("[data-status]")).to_have_text("学习中，正在计时")


def test_a_login_elsewhere_is_told_while_playing(
    player: Page, enrolment: Enrolment, expected_console_errors: list[str]
):
    expected_console_errors += ["401"]
    play(player)
    expect(player.locator("[data-pending]")).not_to_have_text("00:00", timeout=8_000)

    begin_session(
        person=enrolment.person,
        user_agent="Mozilla/5.0 (Windows NT 10.0) Chrome/126.0",
        address="",
        at_a_time=1,
        now=timezone.now(),
    )

    notice = player.locator("[data-notice]")
    expect(notice).to_contain_text(
        "在另一台设备（Chrome · Windows）登录，本机已退出", timeout=15_000
    )
    expect(player.locator("[data-status]")).to_have_text("已退出登录，已停止计时")
    assert run(player, "return video.paused") is True
    notice.get_by_role("link", name="重新登录").click()
    expect(player.get_by_text("本机已退出")).to_be_visible()


def test_what_is_missing_at_the_end_can_be_watched(player: Page, enrolment: Enrolment):
    ChapterProgressFactory(
        enrolment=enrolment,
        chapter=Chapter.objects.get(position=1),
        covered=[[0, 1_000], [3_000, 5_000]],
        covered_ms=3_000,
        position_ms=4_500,
    )
    player.reload()
    play(player)

    notice = player.locator("[data-notice]")
    expect(notice).to_contain_text(re.compile("本章节还有 00:0[23] 未计入"))
    notice.get_by_role("button", name="补看未学习部分").click()

    watch_until(player, player.locator("[data-done]"))


def test_a_lost_line_is_told_and_made_up_for(
    player: Page, context: BrowserContext, expected_console_errors: list[str]
):
    expected_console_errors += ["ERR_INTERNET_DISCONNECTED"]
    play(player)
    expect(player.locator("[data-pending]")).not_to_have_text("00:00")

    context.set_offline(True)
    expect(player.locator("[data-notice]")).to_contain_text("网络中断")
    assert run(player, "return video.paused") is False
    context.set_offline(False)

    expect(player.locator("[data-notice]")).to_be_hidden()
    watch_until(player, player.locator("[data-done]"))


def test_a_missed_question_stops_the_time_and_is_asked_again(
    player: Page, settings: Any
):
    settings.LEARNING = settings.LEARNING | {
        "first_prompt_seconds": 2,
        "prompt_answer_seconds": 2,
        "tolerance_seconds": 1,
    }
    play(player)
    dialog = player.get_by_role("dialog", name="学习确认")
    expect(dialog).to_contain_text("未在规定时间内答题")
    expect(player.locator("[data-reasons]")).to_contain_text("未按时答题")
    settings.LEARNING = settings.LEARNING | {"prompt_answer_seconds": 60}

    dialog.get_by_role("button", name="继续学习").click()
    expect(dialog.locator("input[name=option]").first).to_be_visible()

    assert Prompt.objects.filter(outcome=Prompt.Outcome.EXPIRED).count() == 1
    assert ChapterProgress.objects.get().covered_ms == 0


def test_a_question_missed_on_another_day_is_asked_at_once(
    player: Page, enrolment: Enrolment, settings: Any
):
    settings.LEARNING = settings.LEARNING | {"beat_seconds": 100}
    PersonClock.objects.create(person=enrolment.person, until_prompt_ms=0)
    player.reload()

    play(player)

    dialog = player.get_by_role("dialog", name="学习确认")
    expect(dialog.locator("input[name=option]").first).to_be_visible()
    assert ChapterProgress.objects.get().covered_ms == 0


def test_a_wrong_answer_brings_another_question(player: Page, settings: Any):
    settings.LEARNING = settings.LEARNING | {"first_prompt_seconds": 2}
    play(player)
    dialog = player.get_by_role("dialog", name="学习确认")
    expect(dialog).to_be_visible()

    for number in (2, 3):
        wrong = wrong_option(Prompt.objects.get(closed_at__isnull=True))
        dialog.locator(f"input[value='{wrong}']").check()
        dialog.get_by_role("button", name="提交答案").click()
        expect(dialog).to_contain_text(f"第 {number} 次，共 3 次")
    wrong = wrong_option(Prompt.objects.get(closed_at__isnull=True))
    dialog.locator(f"input[value='{wrong}']").check()
    dialog.get_by_role("button", name="提交答案").click()

    expect(dialog).to_contain_text("连续三次回答错误")
    expect(dialog.locator("[data-prompt-continue]")).to_be_disabled()
    expect(dialog.locator("[data-prompt-continue]")).to_contain_text("请等待")


def test_a_right_answer_takes_back_what_a_wrong_one_was_told(
    player: Page, settings: Any
):
    settings.LEARNING = settings.LEARNING | {"first_prompt_seconds": 2}
    play(player)
    dialog = player.get_by_role("dialog", name="学习确认")
    expect(dialog).to_be_visible(timeout=10_000)
    wrong = wrong_option(Prompt.objects.get(closed_at__isnull=True))
    dialog.locator(f"input[value='{wrong}']").check()
    dialog.get_by_role("button", name="提交答案").click()
    expect(dialog).to_contain_text("回答错误")

    right = Prompt.objects.get(closed_at__isnull=True).correct_option
    dialog.locator(f"input[value='{right}']").check()
    dialog.get_by_role("button", name="提交答案").click()

    expect(dialog).to_contain_text("回答正确")
    expect(dialog).not_to_contain_text("回答错误")


def test_the_keyboard_is_enough(player: Page, settings: Any):
    settings.LEARNING = settings.LEARNING | {"first_prompt_seconds": 2}
    player.locator(".vjs-big-play-button").focus()
    player.keyboard.press("Enter")
    dialog = player.get_by_role("dialog", name="学习确认")
    expect(dialog).to_be_visible()
    prompt = Prompt.objects.get()
    place = [code for code, _ in prompt.options].index(prompt.correct_option)

    player.keyboard.press("Space")
    for _ in range(place):
        player.keyboard.press("ArrowDown")
    player.keyboard.press("Enter")

    expect(dialog).to_be_hidden()
    prompt.refresh_from_db()
    assert prompt.outcome == Prompt.Outcome.RIGHT


def test_an_address_that_ran_out_is_replaced(
    player: Page, expected_console_errors: list[str]
):
    expected_console_errors += ["404", "MEDIA_ERR"]
    play(player)
    expect(player.locator("[data-pending]")).not_to_have_text("00:00")

    player.evaluate(
        "() => window.videojs.getPlayer('player')"
        ".src({ src: '/video/ran-out/video.mp4', type: 'video/mp4' })"
    )

    watch_until(player, player.locator("[data-done]"))
    assert run(player, "return video.currentSrc").count("ran-out") == 0


def test_a_chapter_can_be_opened_by_its_name(player: Page):
    title = Chapter.objects.get(position=2).title

    player.locator(".chapter-list").get_by_text(title).click()

    expect(player.locator(".player-chapter")).to_contain_text(title)
