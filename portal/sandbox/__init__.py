"""Gateways that speak the vendors' real wire protocols on the loopback interface.

For the embedded default, the browser tests and the failure tests; never in production.
"""

from portal.sandbox.server import SandboxConfig, SandboxError, SandboxServer

__all__ = ["SandboxConfig", "SandboxError", "SandboxServer"]
