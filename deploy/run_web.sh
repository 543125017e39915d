#!/bin/sh
# The web server of the image. WEB_PROCESSES: one per core; threads beyond a few only wait.
exec python -m granian --interface wsgi --host 0.0.0.0 --port 8000 --no-ws \
  --workers "${WEB_PROCESSES:-2}" --blocking-threads "${WEB_THREADS:-8}" \
  --respawn-failed-workers --workers-kill-timeout 30 portal.wsgi:application
