class SupportError(Exception):
    """A message to customer service that is refused; the text is for the visitor."""


class TooManyMessagesError(SupportError):
    def __init__(self) -> None:
        super().__init__("发送过于频繁，请稍后再试。")


class ConversationClosedError(SupportError):
    def __init__(self) -> None:
        super().__init__("会话已结束，不能再回复。")
