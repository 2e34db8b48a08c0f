"""What every command shares: Hydra composes, every mistake becomes a sentence, exit statuses."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.common.code_version import version_text
from experiments.common.console import fitted, width_of
from experiments.common.errors import InputError, Outage
from experiments.common.interrupts import INTERRUPTED_SENTENCE, interruptible, was_pressed
from experiments.common.os_faults import is_place_wrong, out_of_memory, sentence_of
from experiments.common.secrets import without_user_info
from experiments.config.arguments import arranged, split_arguments
from experiments.config.commands import COMMANDS, register
from experiments.config.dimensions import with_dimensions
from experiments.config.faults import explain, explain_value, unknown_keys
from experiments.config.help_page import help_lines
from experiments.config.places import conf_dir
from experiments.config.study_names import with_studies
from experiments.config.written import as_written

OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses of every command."""

QUIET = "+hydra=default"
"""Adds ``conf/hydra/default.yaml`` to whatever is composed: Hydra leaves nothing behind."""

HELP = frozenset(("-h", "--help"))
VERSION = "--version"


def run_command(name: str, command: Callable[[Any], int], argv: Sequence[str] | None = None) -> int:
    """Compose a command's configuration, check it, run the command.

    Args:
        name: Of the command: ``conf/<name>.yaml`` holds its choices.
        command: Takes the checked configuration (a plain dataclass), returns the exit status.
        argv: Overrides and flags; the process's own by default.

    Returns:
        The exit status: 0; 1 when all the work or the machine failed; 2 for bad input, told on
        stderr in a sentence a fault; 130 after Ctrl-C.
    """

    given = sys.argv[1:] if argv is None else argv

    def run() -> int:
        if VERSION in given:
            print(version_text())
            return OK
        if HELP & set(given):
            print("\n".join(help_lines(name)))
            return OK
        register()
        arguments = _arguments(name, given)
        config = _composed(name, arguments)
        return OK if config is None else command(convert(config))

    return ended(run)


def ended(run: Callable[[], int]) -> int:
    """Run a command to its end, whatever end that is; the exit status of `run_command`."""
    try:
        with interruptible():
            status = run()
            # A full disk or a closed pipe behind stdout shows here, not after Python's last line.
            print(end="", flush=True)
            return status
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else FAILED
    except InputError as error:
        return _told(str(error), BAD_INPUT)
    except Outage as error:
        return _told(str(error), FAILED)
    except KeyboardInterrupt:
        return _told(INTERRUPTED_SENTENCE, INTERRUPTED)
    except BrokenPipeError:
        _drop_stdout()
        return FAILED
    except MemoryError as error:
        return _told(out_of_memory(error), FAILED)
    except OSError as error:
        _drop_stdout()
        return _told(sentence_of(error), BAD_INPUT if is_place_wrong(error) else FAILED)
    except Exception:
        if was_pressed():
            return _told(INTERRUPTED_SENTENCE, INTERRUPTED)
        raise


def _told(sentence: str, status: int) -> int:
    """The exit status, once stderr has the sentence; one that is closed or full has none."""
    with suppress(OSError, ValueError):
        told = fitted(without_user_info(sentence), width_of(sys.stderr))
        print(told, file=sys.stderr, flush=True)
    return status


def _arguments(name: str, argv: Sequence[str]) -> list[str]:
    """A command's arguments as Hydra takes them, overrides first."""
    flags, overrides = split_arguments(arranged(argv))
    return [*as_written(with_dimensions(overrides), COMMANDS[name]), *flags]


def _drop_stdout() -> None:
    """Let what is still to be printed go: writing it at exit would fail again, with a traceback."""
    if sys.stdout is None or not sys.stdout.writable():
        return
    try:
        print(end="", flush=True)
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def convert(config: DictConfig) -> Any:
    """A composed configuration as its plain dataclass, all faults told at once.

    Raises:
        InputError: A sentence for every value that is unknown, missing or out of range.
    """
    data = OmegaConf.to_container(config, resolve=False)
    assert isinstance(data, dict)
    faults = unknown_keys(data, OmegaConf.get_type(config))
    for key in config:
        try:
            if OmegaConf.is_config(config._get_node(key)) and config[key] is not None:
                OmegaConf.to_object(config[key])
        except (ValueError, OmegaConfBaseException) as error:
            faults += explain_value(error, str(key))
    try:
        if not faults:
            return OmegaConf.to_object(config)
    except (ValueError, OmegaConfBaseException) as error:
        faults = explain_value(error, "")
    raise InputError("\n".join(with_studies(faults, data))) from None


def _composed(name: str, arguments: list[str]) -> DictConfig | None:
    """The configuration as Hydra composes it; None where a flag asked for something else."""
    seen: list[DictConfig] = []
    with _environment(name, arguments):
        try:
            hydra.main(version_base="1.3", config_path=conf_dir(), config_name=name)(seen.append)()
        except (HydraException, OmegaConfBaseException, ValueError) as error:
            raise InputError("\n".join(explain(error, name, arguments, conf_dir()))) from None
        finally:
            GlobalHydra.instance().clear()
    return seen[0] if seen else None


@contextmanager
def _environment(name: str, arguments: list[str]) -> Iterator[None]:
    """Hydra reads the arguments from `sys.argv`, and hides errors unless told not to."""
    argv, full_error = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = [f"experiments.{name}", QUIET, *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = argv
        if full_error is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full_error
