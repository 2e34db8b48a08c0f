"""What completes commands, settings, choices and studies in a shell, as a script to be sourced."""

from experiments.common.errors import InputError
from experiments.config.arguments import option_names
from experiments.config.choices import choices
from experiments.config.commands import COMMANDS
from experiments.config.listing import iter_settings

SHELLS = ("bash", "zsh")

# Without COMP_LINE bash would split the word at "=", and replaces only what stands behind it.
SCRIPT = """\
# Completes adjuster-tune in {shell}: eval "$(adjuster-tune completion {shell})"
{start}_adjuster_tune() {{
    local line="${{COMP_LINE:0:$COMP_POINT}}" words="" found
    local word="${{line##* }}"
    if [ "$COMP_CWORD" -le 1 ]; then
        words="{commands}"
    else
        case "${{line#* }}" in
{cases}
        esac
    fi
    case "$word" in
    study=*)
        words="$(for found in outputs/*/summary.json; do
            [ -f "$found" ] && found="${{found%/*}}" && echo "study=${{found##*/}}"
        done)" ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
{shorten}}}
complete -o nospace -F _adjuster_tune adjuster-tune
"""
STARTS = {"bash": "", "zsh": "autoload -U +X bashcompinit && bashcompinit\n"}
SHORTEN = {"bash": '    [[ "$word" == *=* ]] && COMPREPLY=("${COMPREPLY[@]#*=}")\n', "zsh": ""}
OTHERS = ("benchmark", "completion")


def completion_script(shell: str) -> str:
    """The script for one of `SHELLS`.

    Raises:
        InputError: For another shell.
    """
    if shell not in SHELLS:
        raise InputError(
            f"completion must be for {' or '.join(SHELLS)}, got {shell or 'nothing'}: "
            "adjuster-tune completion bash"
        )
    cases = [f'        "{name} "*) words="{" ".join(words_of(name))}" ;;' for name in COMMANDS]
    cases.append(f'        "completion "*) words="{" ".join(SHELLS)}" ;;')
    return SCRIPT.format(
        shell=shell,
        start=STARTS[shell],
        commands=" ".join([*COMMANDS, *OTHERS]),
        cases="\n".join(cases),
        shorten=SHORTEN[shell],
    )


def words_of(command: str) -> list[str]:
    """What may stand behind a command: its settings, its choices of files, its options.

    Args:
        command: Its name.
    """
    settings = [item.name for item in iter_settings(COMMANDS[command])]
    names = [f"{name}=" for name in settings if "NAME" not in name]
    files = [f"{group}={name}" for group, names in choices(command).items() for name in names]
    options = sorted(name for name in option_names() if name.startswith("--"))
    return [*names, *files, *options]
