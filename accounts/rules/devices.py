"""The device of a login in words, from what the browser says about itself."""

# The first mark that is found decides, so those stand first whose names carry the others' too.
_BROWSERS = (
    ("MicroMessenger", "微信"),
    ("DingTalk", "钉钉"),
    ("QQBrowser", "QQ浏览器"),
    ("UCBrowser", "UC浏览器"),
    ("HuaweiBrowser", "华为浏览器"),
    ("MiuiBrowser", "小米浏览器"),
    ("SamsungBrowser", "三星浏览器"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Trident", "IE"),
    ("MSIE", "IE"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("HarmonyOS", "鸿蒙"),
    ("OpenHarmony", "鸿蒙"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
UNKNOWN_BROWSER = "未知浏览器"


def describe_device(user_agent: str) -> str:
    """`Chrome · Windows`: enough to recognise one's own device, nothing that tracks it."""
    browser = _find(user_agent, _BROWSERS) or UNKNOWN_BROWSER
    system = _find(user_agent, _SYSTEMS)
    return f"{browser} · {system}" if system else browser


def _find(user_agent: str, marks: tuple[tuple[str, str], ...]) -> str:
    return next((name for mark, name in marks if mark in user_agent), "")


def describe_app(name: str) -> str:
    """`应用 · 我的手机`: an app's login under the name that its device has given itself."""
    return f"应用 · {name}"
