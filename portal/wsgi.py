import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

django = get_wsgi_application()

# It reads models, which are ready only now.
from portal.beat_front import put_before  # noqa: E402

application = put_before(django)

# What is loaded now stays: the collector need not look through it again. A page makes some
# thousands of short-lived objects, so Python's 700 would start it several times a page.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 20)
