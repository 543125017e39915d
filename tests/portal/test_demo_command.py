from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from portal.lib.media import MissingFfmpegError
from portal.management.commands import demo


def test_demo_is_refused_in_production(settings: Any, monkeypatch: Any) -> None:
    settings.PRODUCTION = True
    monkeypatch.delattr(demo, "load")

    with pytest.raises(CommandError, match="示例数据不能载入正式环境"):
        call_command("demo")


def test_demo_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise MissingFfmpegError("没有可用的 ffmpeg")

    monkeypatch.setattr(demo, "load", fail)

    with pytest.raises(CommandError, match="示例数据未能载入：没有可用的 ffmpeg"):
        call_command("demo")


def test_demo_leaves_the_videos_out_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(
        demo, "load", lambda _now, *, with_videos, say: asked.append(with_videos)
    )

    call_command("demo", "--no-videos", stdout=StringIO())
    call_command("demo", stdout=StringIO())

    assert asked == [False, True]
