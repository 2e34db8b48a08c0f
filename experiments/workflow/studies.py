"""A study as a command opens it: from a configuration, or as a sweep left it."""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from experiments.common.errors import InputError
from experiments.config.commands import SweepConfig
from experiments.config.study_names import unknown_study
from experiments.replay.settings import Settings
from experiments.study.rules import SearchRules
from experiments.study.search_space import SearchSpace
from experiments.study.storage import StudyStorage, journal_path, open_storage, storage_url
from experiments.study.study import Study
from experiments.study_folder.layout import StudyFolder, read_study_config


def base_settings(config: SweepConfig) -> Settings:
    """The settings that a sweep varies."""
    return Settings(config.adjuster, config.selection)


def search_rules(config: SweepConfig) -> SearchRules:
    """How a sweep's study searches."""
    return SearchRules(config.sampler, config.pruner, config.guardrails, config.replay.n_blocks)


def make_study(config: SweepConfig, space: SearchSpace) -> Study:
    """The study of a configuration, for this process."""
    storage = storage_of(config, config.study.name)
    process = f"{os.uname().nodename}:{os.getpid()}:{time.time():.3f}"
    return Study(config.study, search_rules(config), base_settings(config), space, storage, process)


def storage_of(config: SweepConfig, name: str) -> StudyStorage:
    """The storage of a study beside a configuration's, made if new; what was mended is told."""
    storage = open_storage(storage_url(config.study), config.output_dir, name)
    if storage.repaired:
        print(storage.repaired, file=sys.stderr)
    return storage


def load_study(output_dir: str, name: str) -> tuple[SweepConfig, Study, StudyFolder]:
    """A study that a sweep left behind, to read it and to keep more with it.

    Args:
        output_dir: Where the sweep wrote.
        name: The study.

    Returns:
        Its configuration, the study (to be closed), and where its files lie.

    Raises:
        InputError: If there is no such study.
    """
    outputs = StudyFolder(Path(output_dir), name)
    if not outputs.config.is_file() or not outputs.summary.is_file():
        raise InputError(unknown_study(name, output_dir))
    config = replace(read_study_config(outputs), output_dir=output_dir)
    if not config.study.is_shared and not journal_path(output_dir, name).is_file():
        raise InputError(f"The journal of study {name} is missing in {output_dir}/studies.")
    study = make_study(config, SearchSpace.from_config(config.search_space, base_settings(config)))
    study.join()
    return config, study, outputs
