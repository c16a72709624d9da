# One image for all services: the command chooses which (see deploy/k8s/base).
FROM python:3.12-slim AS build
WORKDIR /app
RUN python -m venv /opt/venv && pip install --no-cache-dir uv==0.13.9
COPY pyproject.toml requirements.lock ./
# The lock also pins the development tools; as constraints it pins only what the services need.
RUN uv pip install --no-cache --python /opt/venv/bin/python --require-hashes \
    --requirement pyproject.toml --constraints requirements.lock
COPY README.md ./
COPY shared shared
COPY services services
COPY client client
RUN uv pip install --no-cache --python /opt/venv/bin/python --no-deps .

FROM python:3.12-slim
# Numeric, so that runAsNonRoot can be checked; nothing in the image belongs to it.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin veracity
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    OMP_WAIT_POLICY=PASSIVE HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib HF_HUB_OFFLINE=1
USER 10001:10001
WORKDIR /tmp
CMD ["python", "-m", "services.ingest"]
