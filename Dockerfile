# The commands of this project, the MLflow server and optuna-dashboard in one image.
FROM python:3.11-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    NUMBA_CACHE_DIR=/srv/adjuster/.numba

# The packages first: they change less often than the code.
WORKDIR /app
COPY constraints.txt pyproject.toml README.md LICENSE ./
RUN pip install --constraint constraints.txt torch
COPY adjuster ./adjuster
COPY experiments ./experiments
COPY conf ./conf
RUN pip install --constraint constraints.txt '.[postgres,samplers,dashboard]' \
    && useradd --create-home --uid 1000 adjuster \
    && install -d -o adjuster /srv/adjuster

# Data sets and outputs/ of the commands, on a volume.
USER 1000
WORKDIR /srv/adjuster
CMD ["python", "-m", "experiments.sweep", "--help"]
