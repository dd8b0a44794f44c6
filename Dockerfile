# The image of one-api: `docker build -t one-api .`; everything it keeps is below /data, as in One API's image.
FROM python:3.13-slim-trixie AS build
WORKDIR /src
COPY requirements-tools.txt requirements.txt requirements-build.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements-tools.txt \
 && uv venv --no-python-downloads /opt/one-api \
 && uv pip install --no-cache --compile-bytecode --python /opt/one-api/bin/python --require-hashes -r requirements.txt
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY src src
COPY web web
# The console is built on the way, with Node from a wheel.
RUN uv build --no-cache --wheel --build-constraints requirements-build.txt --out-dir /dist \
 && uv pip install --no-cache --compile-bytecode --no-deps --python /opt/one-api/bin/python /dist/*.whl

FROM python:3.13-slim-trixie
RUN useradd --system --user-group --uid 1000 --no-create-home --home-dir /data one-api \
 && install -d -o one-api -g one-api /data
COPY --from=build /opt/one-api /opt/one-api
ENV PATH=/opt/one-api/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /data
VOLUME /data
USER 1000:1000
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.getenv(\"PORT\") or 3000}/healthz', timeout=4)"]
ENTRYPOINT ["one-api"]
