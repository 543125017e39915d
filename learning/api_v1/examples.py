"""Examples and refusals for the schema; a test holds the examples to the serializers."""

from typing import Any

from portal.lib.api_schema import (
    answer_example,
    given_example,
    problems,
    refusal_example,
)

PLAN = answer_example(
    "plan",
    {
        "plan": "2026-professional-1",
        "title": "2026年度专业科目培训",
        "year": 2026,
        "subject": "professional",
        "subject_label": "专业科目",
        "hours": 60,
        "state": "open",
        "percent": 25,
        "credits": 15,
        "required_credits": 60,
        "training_start": "2026-01-01",
        "training_end": "2026-12-31",
        "completed_at": None,
    },
    "正在学习的计划",
)
COURSE_IN_LIST = answer_example(
    "course",
    {
        "course": "green-building",
        "title": "绿色建筑技术",
        "kind": "elective",
        "kind_label": "选修",
        "credits": 5,
        "lecturer": "讲师甲",
        "chapters": 5,
        "chapters_done": 2,
        "duration_ms": 13500000,
        "percent": 44,
        "completed": False,
    },
    "学了一部分的课程",
)
COURSE = answer_example(
    "course",
    {
        "course": "green-building",
        "title": "绿色建筑技术",
        "summary": "节能、节地、节水、节材与环境保护。",
        "kind": "elective",
        "credits": 5,
        "lecturer": "讲师甲",
        "can_study": True,
        "chapters": [
            {
                "chapter": 1,
                "title": "绪论",
                "completed": False,
                "duration_ms": 2700000,
                "covered_ms": 600000,
                "resume_ms": 600000,
                "video": "/video/…/video.mp4",
                "poster": "/video/…/poster.jpg",
                "captions": None,
            }
        ],
    },
    "课程与章节",
)
HOURS = answer_example(
    "hours",
    {
        "year": 2026,
        "general": {"earned": 30, "duty": 30},
        "professional": {"earned": 15, "duty": 60},
        "total": 45,
    },
    "一个年度的学时",
)
OPEN = given_example(
    "open",
    {"plan": "2026-professional-1", "course": "green-building", "chapter": 1},
    "从上次的位置继续",
)
BEAT = given_example(
    "beat",
    {
        "session": "6Z1YQ0W4N8V2K7M3C5X9B0D1FG",
        "sequence": 7,
        "position_ms": 670000,
        "playing": True,
        "hidden": False,
    },
    "播放中，每十秒一次",
)
ANSWER = given_example(
    "answer",
    {
        "session": "6Z1YQ0W4N8V2K7M3C5X9B0D1FG",
        "prompt": "4T8Q2M6X0Z1C5V9B",
        "option": "b",
    },
    "选一个选项",
)
_STAND: dict[str, Any] = {
    "token": "…",
    "session": "6Z1YQ0W4N8V2K7M3C5X9B0D1FG",
    "sequence": 7,
    "credited_ms": 10000,
    "refused_ms": 0,
    "refused_reason": "",
    "refused": [{"reason": "network", "label": "网络中断", "ms": 24000}],
    "chapter": {
        "duration_ms": 2700000,
        "covered": [[0, 600000]],
        "covered_ms": 600000,
        "pending": [[600000, 670000]],
        "pending_ms": 70000,
        "position_ms": 670000,
        "completed": False,
    },
    "course_completed": False,
    "plan_completed": False,
    "plan": {"percent": 25, "credits": 15, "completed": False},
    "prompt": {
        "code": "4T8Q2M6X0Z1C5V9B",
        "stem": "12 + 7 等于多少？",
        "options": [{"id": "a", "text": "18"}, {"id": "b", "text": "19"}],
        "seconds_left": 55,
        "seconds_given": 60,
        "try": 1,
        "tries": 3,
    },
    "prompt_due": True,
    "hold_seconds": 0,
}
STAND = answer_example("stand", _STAND, "计入十秒，出了一题")
OPENED = answer_example(
    "opened",
    _STAND | {"video": "/video/…/video.mp4", "stream": "/video/…/stream.m3u8"},
    "打开了章节",
)
JUDGED = answer_example(
    "judged",
    _STAND | {"prompt": None, "prompt_due": False, "outcome": "right"},
    "答对了",
)
CLOSED = answer_example("closed", {"closed": True}, "已结束")
STUDY_REFUSED = [
    refusal_example(
        409, "taken_over", "您已在其他窗口或设备上开始学习，本页面已停止计时"
    ),
    refusal_example(409, "session_ended", "本次学习会话已结束"),
    refusal_example(
        403, "not_entitled", "该学习计划未开通或已撤销，如有疑问请联系客服"
    ),
]
OPENING_REFUSED = [
    refusal_example(403, "outside_period", "当前不在该计划的培训时间内，不能计入学时"),
    refusal_example(409, "no_video", "本章节视频正在准备中，请稍后再试"),
]
PROBLEMS_OF_READING = problems(400, 401, 429)
PROBLEMS_OF_ONE = problems(400, 401, 404, 429)
PROBLEMS_OF_STUDY = problems(400, 401, 403, 404, 409, 413, 429)
