"""The script that completes commands and settings, in the shell that it is for."""

import os
import pty
import shutil
import subprocess

import pytest

from experiments.common.errors import InputError
from experiments.config.completion import completion_script, values_of, words_of

SPOKEN = {"benchmark": ("adjuster", "replay"), "completion": ("bash", "zsh"), "serve": ("worker",)}

ASK = """
cd "{folder}"
source "{script}"
COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}; COMP_CWORD={place}
_adjuster_tune
echo "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def script(tmp_path):
    """Where the script for bash lies, in a folder that has swept two studies."""
    if shutil.which("bash") is None:
        pytest.skip("there is no bash")
    for name in ("first", "second"):
        (tmp_path / "outputs" / name).mkdir(parents=True)
        (tmp_path / "outputs" / name / "summary.json").touch()
    (tmp_path / "completion").write_text(completion_script("bash", SPOKEN))
    return tmp_path / "completion"


@pytest.fixture
def completed(script):
    """What bash offers behind a line."""

    def ask(line: str, place: int) -> list[str]:
        text = ASK.format(folder=script.parent, script=script, line=line, place=place)
        done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return done.stdout.split()

    return ask


def test_commands_settings_choices_options_and_studies_are_completed(completed, script):
    assert completed("adjuster-tune sw", 1) == ["sweep"]
    assert completed("adjuster-tune sweep study.n_t", 2) == ["study.n_trials="]
    assert completed("adjuster-tune sweep sampler=g", 4) == ["gp", "grid"]
    assert completed("adjuster-tune  sweep adjuster.loss=", 4) == ["cubic", "linear", "logistic"]
    assert completed("adjuster-tune sweep --cfg j", 3) == ["job"]
    assert completed("adjuster-tune sweep --conf", 2) == [
        *("--config-dir", "--config-name", "--config-path"),
    ]
    assert completed("adjuster-tune export study=", 3) == ["first", "second"]
    assert completed("adjuster-tune compare studies=first,se", 3) == ["first,second"]
    assert completed("adjuster-tune completion z", 2) == ["zsh"]
    assert completed("adjuster-tune benchmark re", 2) == ["replay"]
    assert completed("adjuster-tune serve w", 2) == ["worker"]
    (script.parent / "outputs").rename(script.parent / "runs")
    assert completed("adjuster-tune export output_dir=runs study=s", 7) == ["second"]


def test_the_tab_key_completes_in_an_interactive_bash(script):
    typed = {
        "adjuster-tune sw\t study.n_t\t5": "got: sweep study.n_trials=5",
        "adjuster-tune sweep sampler=tp\t pruner=w\t": "got: sweep sampler=tpe pruner=wilcoxon",
        "adjuster-tune export study=f\t forc\tt\t": "got: export study=first force=true",
        "adjuster-tune evaluate config=compl\t": "got: evaluate config=completion",
    }
    lines = [f"source {script}", 'adjuster-tune() { echo "got: $*"; }', *typed, "exit"]
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        cwd=script.parent,
        env={**os.environ, "TERM": "dumb", "HISTFILE": os.devnull, "INPUTRC": os.devnull},
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, "".join(f"{line}\n" for line in lines).encode())
    said = shell.communicate(timeout=60)[0].decode()
    os.close(ours)
    assert [line for line in said.splitlines() if line.startswith("got")] == list(typed.values())


def test_there_is_a_script_for_two_shells():
    script = completion_script("zsh", SPOKEN)
    assert script.splitlines()[1] == "autoload -U +X bashcompinit && bashcompinit"
    with pytest.raises(InputError, match="completion must be for bash or zsh, got fish"):
        completion_script("fish", SPOKEN)


def test_only_groups_of_the_command_are_offered():
    assert "sampler=" in words_of("sweep")
    assert "sampler=tpe" in values_of("sweep")
    assert not [word for word in words_of("report") if word.startswith("sampler")]
