"""The served portal with beats that wait for the disk, as every other commit does."""

from benchmarks.served import *  # noqa: F403 - that one, and one constant
from portal.lib import raw_connections

raw_connections.ASYNCHRONOUS = "-c synchronous_commit=on"
