import pytest

from accounts.rules.devices import describe_device

WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"
ANDROID = (
    "Mozilla/5.0 (Linux; Android 14; PJD110) AppleWebKit/537.36 (KHTML, like Gecko)"
)


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36", "Chrome · Windows"),
        (f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36 Edg/126.0", "Edge · Windows"),
        (f"{WINDOWS} Chrome/94.0 Safari/537.36 QQBrowser/11.0", "QQ浏览器 · Windows"),
        (f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1", "Safari · iPhone"),
        (f"{IPHONE} Mobile/15E148 MicroMessenger/8.0.50", "微信 · iPhone"),
        (f"{ANDROID} Chrome/121.0 Mobile MicroMessenger/8.0.50", "微信 · Android"),
        (f"{ANDROID} Chrome/121.0 Mobile HuaweiBrowser/15", "华为浏览器 · Android"),
        (
            "Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 Chrome/114.0",
            "Chrome · 鸿蒙",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.5; rv:127.0) Firefox/127.0",
            "Firefox · macOS",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0 Safari/537", "Chrome · Linux"),
        ("curl/8.5.0", "未知浏览器"),
        ("", "未知浏览器"),
    ],
)
def test_devices_in_words(user_agent, words):
    assert describe_device(user_agent) == words
