# The image of web, worker and beat. It is built from the lock files of requirements/ and
# package-lock.json, like every other installation.
#
# Mirrors: --build-arg PIP_INDEX_URL=... --build-arg NPM_CONFIG_REGISTRY=...

FROM python:3.12-slim-bookworm AS front-end
ARG PIP_INDEX_URL
ARG NPM_CONFIG_REGISTRY
WORKDIR /build
COPY requirements/node.txt ./
RUN pip install --no-cache-dir --require-hashes -r node.txt
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts

FROM python:3.12-slim-bookworm
ARG PIP_INDEX_URL
# Any value takes the SDK of Tencent Cloud SMS in: --build-arg SMS_SDK=1
ARG SMS_SDK
# The same for S3-compatible storage: --build-arg S3_SDK=1
ARG S3_SDK
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PORTAL_PRODUCTION=true \
    PORTAL_VAR=/srv/portal/var
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
       libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-babelstone-han \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /srv/portal --shell /usr/sbin/nologin portal
WORKDIR /srv/portal
COPY requirements/base.txt requirements/sms.txt requirements/s3.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/base.txt \
    ${SMS_SDK:+-r requirements/sms.txt} ${S3_SDK:+-r requirements/s3.txt}
COPY --from=front-end /build/node_modules node_modules
COPY . .
# The secrets of this step sign nothing: collecting files only needs settings that load.
RUN SECRET_KEY=build FIELD_KEYS=build INDEX_KEY=build ALLOWED_HOSTS=localhost \
    DATABASE_URL=sqlite:////tmp/build.sqlite3 \
    SEAL_KEY_FILE=build SEAL_CERTIFICATE_FILE=build SEAL_ROOTS_FILE=build \
    python manage.py collectstatic --noinput \
    && mkdir -p var/media \
    && chown -R portal:portal var
USER portal
EXPOSE 8000
CMD ["sh", "deploy/run_web.sh"]
