"""Health check of the web container: does `/readyz` answer 200 under the site's own name?"""

import http.client
import os
import sys
from urllib.parse import urlsplit

web = http.client.HTTPConnection("127.0.0.1", 8000, timeout=5)
web.request("GET", "/readyz", headers={"Host": urlsplit(os.environ["SITE_URL"]).netloc})
sys.exit(web.getresponse().status != 200)
