"""Coverage-guided fuzzing of all that reads a file: `make fuzz`.

Usage:
    python -m tests.fuzz.fuzz_readers CORPUS_FOLDER -max_total_time=60
"""

import sys
from pathlib import Path

INSTRUMENTED = [
    "experiments.config.saved",
    "experiments.data",
    "experiments.replay.position.propensity_file",
    "experiments.study.journal_repair",
    "experiments.study.storage",
    "experiments.study_folder",
]


def main() -> None:
    """Fill the corpus folder (the first argument) with samples, then fuzz."""
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.targets import one_input, write_corpus
    write_corpus(Path(sys.argv[1]))
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
