class ContentError(Exception):
    """Something of the public pages that cannot be shown."""


class ArticleNotFoundError(ContentError):
    """No such article is published."""


class DownloadNotFoundError(ContentError):
    """No such file is published, or its file is gone."""
