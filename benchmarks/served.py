"""The portal's settings for a server that is measured: one more view, and a broker of choice.

`BENCHMARK_BROKER` names the broker alone, so that it may be dead while cache and sessions live.
"""

import os

from portal.settings import *  # noqa: F403 - the portal's, and two of our own

ROOT_URLCONF = "benchmarks.served_urls"
CELERY_BROKER_URL = os.environ["BENCHMARK_BROKER"]
