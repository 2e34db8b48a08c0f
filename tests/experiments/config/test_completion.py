"""The script that completes commands and settings, in the shell that it is for."""

import shutil
import subprocess

import pytest

from experiments.common.errors import InputError
from experiments.config.completion import completion_script, words_of

ASK = """
cd "{folder}"
source "{script}"
COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}; COMP_CWORD={place}
_adjuster_tune
echo "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def completed(tmp_path):
    """What bash offers behind a line."""
    if shutil.which("bash") is None:
        pytest.skip("there is no bash")
    script = tmp_path / "completion"
    script.write_text(completion_script("bash"))

    def ask(line: str, place: int) -> list[str]:
        text = ASK.format(folder=tmp_path, script=script, line=line, place=place)
        done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return done.stdout.split()

    return ask


def test_commands_settings_choices_options_and_studies_are_completed(completed, tmp_path):
    for name in ("first", "second"):
        (tmp_path / "outputs" / name).mkdir(parents=True)
        (tmp_path / "outputs" / name / "summary.json").touch()
    assert completed("adjuster-tune sw", 1) == ["sweep"]
    assert completed("adjuster-tune sweep study.n_t", 2) == ["study.n_trials="]
    assert completed("adjuster-tune sweep sampler=g", 4) == ["gp", "grid"]
    assert completed("adjuster-tune sweep --conf", 2) == [
        *("--config-dir", "--config-name", "--config-path"),
    ]
    assert completed("adjuster-tune export study=", 3) == ["first", "second"]
    assert completed("adjuster-tune completion z", 2) == ["zsh"]


def test_there_is_a_script_for_two_shells():
    assert completion_script("zsh").splitlines()[1] == "autoload -U +X bashcompinit && bashcompinit"
    with pytest.raises(InputError, match="completion must be for bash or zsh, got fish"):
        completion_script("fish")


def test_only_groups_of_the_command_are_offered():
    assert "sampler=tpe" in words_of("sweep")
    assert not [word for word in words_of("report") if word.startswith("sampler")]
