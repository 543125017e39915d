"""The live server, which can wait for the browser to fall silent.

Django's own leaves its threads to themselves: the beacon of a page that closed would hold the
tables while they are emptied, or write into those of the next test.
"""

import threading
from http.client import HTTPConnection
from typing import Any

from django.core.servers.basehttp import ThreadedWSGIServer

SILENCE_SECONDS = 60


class PatientServer(ThreadedWSGIServer):
    """Remembers the thread of every connection; each lives until the browser hangs up."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connections: list[threading.Thread] = []

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections = [
            thread for thread in self._connections if thread.is_alive()
        ]
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            daemon=True,
        )
        thread.start()
        self._connections.append(thread)

    def wait_for_silence(self) -> None:
        """Wait for the answer to everything a browser asked whose windows are all closed."""
        self._take_all_connections()
        for thread in self._connections:
            thread.join(SILENCE_SECONDS)
            assert not thread.is_alive(), "the browser goes on asking"

    def _take_all_connections(self) -> None:
        """They are taken in order: once a new one is answered, no older one is waiting."""
        connection = HTTPConnection(
            "localhost", self.server_port, timeout=SILENCE_SECONDS
        )
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        connection.close()
