"""Settings, all from the environment.

With nothing set the portal runs embedded: SQLite, local files, a file broker, sandbox
gateways, secrets made at the first start under `PORTAL_VAR`. `PORTAL_PRODUCTION=true` takes
every default with a secret or a sandbox away; what is missing then stops the start.
"""

from portal.settings.access import *
from portal.settings.core import *
from portal.settings.environment import *
from portal.settings.services import *
from portal.settings.stores import *
from portal.settings.training import *
