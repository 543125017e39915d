"""How often one person may call the API; the rates are in settings.REST_FRAMEWORK.

Counted in the cache under the account's number in the database; whoever is not logged in is
refused before anything is counted.
"""

from rest_framework.throttling import UserRateThrottle


class ReadThrottle(UserRateThrottle):
    scope = "api_read"


class WriteThrottle(UserRateThrottle):
    scope = "api_write"


class StudyThrottle(UserRateThrottle):
    """Beats come every few seconds; what they are worth is the ledger's business."""

    scope = "api_study"
