"""What completes commands, settings, choices and studies in a shell, as a script to be sourced."""

from collections.abc import Iterator, Mapping, Sequence

from hydra._internal.utils import get_args_parser

from experiments.common.errors import InputError
from experiments.config.arguments import REFUSED, option_names
from experiments.config.choices import choices
from experiments.config.commands import COMMANDS
from experiments.config.listing import iter_settings

SHELLS = ("bash", "zsh")

# Without COMP_LINE bash would split the word at "=", and replaces only what stands behind it.
SCRIPT = """\
# Completes adjuster-tune in {shell}: eval "$(adjuster-tune completion {shell})"
{start}_adjuster_tune() {{
    local line="${{COMP_LINE:0:$COMP_POINT}}" words="" values="" found command place given
    local word="${{line##* }}"
    read -r found command found <<< "$line"
    if [ "$COMP_CWORD" -le 1 ]; then
        words="{commands}"
    else
        case "$command" in
{cases}
        esac
        case "$line" in
{options}
        esac
    fi
    case "$word" in
    study=* | studies=*)
        place=outputs given="${{word%"${{word##*[=,]}}"}}"
        case "$line" in
        *output_dir=*) place="${{line##*output_dir=}}" && place="${{place%% *}}" ;;
        esac
        values="$(for found in "$place"/*/summary.json; do
            [ -f "$found" ] && found="${{found%/*}}" && echo "$given${{found##*/}}"
        done)" ;;
    esac
    case "$word" in
    *=*) words="$values" ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
{shorten}}}
complete -o nospace -o default -F _adjuster_tune adjuster-tune
"""
STARTS = {"bash": "", "zsh": "autoload -U +X bashcompinit && bashcompinit\n"}
SHORTEN = {"bash": '    [[ "$word" == *=* ]] && COMPREPLY=("${COMPREPLY[@]#*=}")\n', "zsh": ""}


def completion_script(shell: str, spoken: Mapping[str, Sequence[str]]) -> str:
    """The script for one of `SHELLS`.

    Args:
        shell: Its name.
        spoken: Command → words that it takes beside settings; commands without settings too.

    Raises:
        InputError: For another shell.
    """
    if shell not in SHELLS:
        raise InputError(
            f"completion must be for {' or '.join(SHELLS)}, got {shell or 'nothing'}: "
            "adjuster-tune completion bash"
        )
    commands = list(dict.fromkeys((*COMMANDS, *spoken)))
    return SCRIPT.format(
        shell=shell,
        start=STARTS[shell],
        commands=" ".join(commands),
        cases="\n".join(_case(name, spoken.get(name, ())) for name in commands),
        options="\n".join(
            f'        *" {option} $word") words="{" ".join(values)}" ;;'
            for option, values in _options_with_choices()
        ),
        shorten=SHORTEN[shell],
    )


def _case(name: str, spoken: Sequence[str]) -> str:
    """What a command takes: names, and values once a word has a name."""
    words, values = (words_of(name), values_of(name)) if name in COMMANDS else ([], [])
    said = " ".join([*spoken, *words])
    return f'        {name}) words="{said}" values="{" ".join(values)}" ;;'


def _options_with_choices() -> Iterator[tuple[str, list[str]]]:
    for action in get_args_parser()._actions:
        for option in action.option_strings:
            if action.choices:
                yield option, list(action.choices)


def words_of(command: str) -> list[str]:
    """What may stand behind a command: its settings, its groups of files, its options.

    Args:
        command: Its name.

    Example:
        >>> words_of("ui")[:3]
        ['output_dir=', 'port=', '--cfg']
    """
    settings = [item.name for item in iter_settings(COMMANDS[command])]
    names = [name for name in [*settings, *choices(command)] if "NAME" not in name]
    options = sorted(name for name in {*option_names()} - REFUSED if name.startswith("--"))
    return [*(f"{name}=" for name in dict.fromkeys(names)), *options]


def values_of(command: str) -> list[str]:
    """The values that are words, behind their names: files of a group, choices of a setting.

    Args:
        command: Its name.
    """
    settings = {item.name: item.choices for item in iter_settings(COMMANDS[command])}
    named = {**settings, **choices(command)}
    return [f"{name}={value}" for name, values in named.items() for value in values]
