"""Completions for bash, zsh and fish: static files, made of the commands' tables, that need no package."""

from __future__ import annotations

from typing import Iterator

from libhooks import requirements
from libhooks.documents.commands import Argument, Command, commands
from libhooks.policy.mistakes import MISTAKES

_HEAD = "# Made of libhooks' own tables by python3 -m libhooks.documents: edit those."
#: What is completed with files, by what an argument's value is called in the help.
_FILES = ("FILE", "FILE|DIR", "DOMAIN.xml")
_DIRECTORIES = ("DIR",)


def _words(argument: Argument) -> tuple[str, ...]:
    """What a value can be, where that is known."""
    if argument.value == "CODE":
        return (*(one.code for one in requirements.everything()), *(() if argument.names else MISTAKES))
    literal = tuple(one for one in argument.value.split(" ")[:1] if one.islower())
    return argument.choices or literal


# bash


def bash() -> str:
    """The file for bash-completion's directory."""
    all = commands()
    lines = [
        _HEAD,
        "_libhooks() {",
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} at='' i",
        "    # --option=value comes as three words",
        "    if [[ $word == '=' ]]; then word=''; fi",
        "    if [[ $before == '=' ]]; then before=${COMP_WORDS[COMP_CWORD - 2]}; fi",
        "    for ((i = 1; i < COMP_CWORD; i++)); do",
        '        case "$at/${COMP_WORDS[i]}" in',
        *(f"        {_path(one)}) at={_path(one)} ;;" for one in all.all() if one.words),
        "        esac",
        "    done",
        '    case "$at $before" in',
        *(line for one in all.all() for line in _bash_values(one)),
        "    esac",
        '    case "$at $word" in',
        *(line for one in all.all() for line in _bash_options(one)),
        "    esac",
        '    case "$at" in',
        *(f"    '{_path(one)}') {_bash_reply(one)} ;;" for one in all.all() if _bash_reply(one)),
        "    esac",
        "}",
        "_libhooks_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$word\"); }",
        "_libhooks_files() {",
        "    compopt -o filenames 2>/dev/null",
        "    mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$word\")",
        "}",
        "complete -F _libhooks libhooks",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _path(command: Command) -> str:
    """The words of a command as one: ``/policy/check``."""
    return "".join(f"/{word}" for word in command.words)


def _bash_values(command: Command) -> Iterator[str]:
    """What follows an option that takes a value; nothing is offered for values that nobody can know."""
    for option in command.options:
        if option.value:
            names = " | ".join(f"'{_path(command)} {name}'" for name in option.names)
            yield f"    {names}) {_bash_value(option) or 'COMPREPLY=()'}; return ;;"


def _bash_options(command: Command) -> Iterator[str]:
    names = " ".join(name for option in command.options for name in option.names)
    yield f"    '{_path(command)} -'*) _libhooks_words '{names}'; return ;;"


def _bash_reply(command: Command) -> str:
    if command.below:
        return f"_libhooks_words '{' '.join(one.words[-1] for one in command.below)}'"
    return "; ".join(filter(None, map(_bash_value, command.positionals)))


def _bash_value(argument: Argument) -> str:
    words = _words(argument)
    if words:
        return f"_libhooks_words '{' '.join(words)}'"
    kinds = {**dict.fromkeys(_FILES, "-f"), **dict.fromkeys(_DIRECTORIES, "-d")}
    return f"_libhooks_files {kinds[argument.value]}" if argument.value in kinds else ""


# zsh


def zsh() -> str:
    """The file for a directory of zsh's fpath, called _libhooks."""
    functions = [line for one in commands().all() for line in _zsh_function(one)]
    return "\n".join(("#compdef libhooks", _HEAD, "", *functions, '_libhooks "$@"')) + "\n"


def _zsh_function(command: Command) -> Iterator[str]:
    yield f"{_zsh_name(command)}() {{"
    specs = [_zsh_option(one) for one in command.options]
    if command.below:
        yield "    local curcontext=$curcontext context state state_descr line"
        yield "    typeset -A opt_args"
        specs += ["'1:command:->command'", "'*::argument:->argument'"]
    else:
        specs += [_zsh_positional(one) for one in command.positionals]
    flag = "-C " if command.below else ""
    yield f"    _arguments {flag}-s -S \\"
    yield " \\\n".join(f"        {spec}" for spec in specs)
    if command.below:
        yield from _zsh_below(command)
    yield "}"
    yield ""


def _zsh_below(command: Command) -> Iterator[str]:
    yield "    case $state in"
    yield "    command)"
    yield "        local -a commands=("
    for one in command.below:
        yield f"            {_quoted(f'{one.words[-1]}:{one.help}')}"
    yield "        )"
    yield "        _describe command commands"
    yield "        ;;"
    yield "    argument)"
    yield "        case $line[1] in"
    for one in command.below:
        yield f"        {one.words[-1]}) {_zsh_name(one)} ;;"
    yield "        esac"
    yield "        ;;"
    yield "    esac"


def _zsh_name(command: Command) -> str:
    return "_".join(("_libhooks", *command.words))


def _zsh_option(option: Argument) -> str:
    told = option.help.replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
    names = "|".join(option.names)
    value = f":{_zsh_label(option)}:{_zsh_value(option)}" if option.value else ""
    if len(option.names) == 1:
        equals = "=" if value and names.startswith("--") else ""
        return _quoted(f"{names}{equals}[{told}]{value}")
    each = ",".join(option.names)
    return f"'({' '.join(option.names)})'{{{each}}}{_quoted(f'[{told}]{value}')}"


def _zsh_positional(argument: Argument) -> str:
    first = "*" if argument.many else ""
    return _quoted(f"{first}:{_zsh_label(argument)}:{_zsh_value(argument)}")


def _zsh_label(argument: Argument) -> str:
    return argument.value if argument.value.isupper() else "value"


def _zsh_value(argument: Argument) -> str:
    words = _words(argument)
    if words:
        return f"({' '.join(words)})"
    if argument.value in _DIRECTORIES:
        return "_files -/"
    return "_files" if argument.value in _FILES else " "


# fish


def fish() -> str:
    """The file for fish's vendor_completions.d."""
    lines = [
        _HEAD,
        "function __libhooks_at",
        "    set -l words (string match -v -- '-*' (commandline -opc))[2..]",
        "    if test (count $argv) -eq 0",
        "        test (count $words) -eq 0; return",
        "    end",
        "    string match -q -- \"$argv *\" \"$words \"",
        "end",
        "complete -c libhooks -f",
    ]  # fmt: skip
    for command in commands().all():
        lines += [_fish(command, f"-a {one.words[-1]} -d {_quoted(one.help)}", below=True)
                  for one in command.below]  # fmt: skip
        lines += [_fish(command, _fish_option(one)) for one in command.options]
        lines += [
            _fish(command, value) for one in command.positionals for value in [_fish_value(one)] if value
        ]
    return "\n".join(lines) + "\n"


def _fish(command: Command, rest: str, below: bool = False) -> str:
    at = f"__libhooks_at {' '.join(command.words)}".strip()
    undecided = (
        f"; and test (count (string match -v -- '-*' (commandline -opc))) -eq {len(command.words) + 1}"
    )
    return f'complete -c libhooks -n "{at}{undecided if below and command.words else ""}" {rest}'


def _fish_option(option: Argument) -> str:
    names = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names]
    value = f" {_fish_value(option) or '-x'}" if option.value else ""
    return f"{' '.join(names)}{value} -d {_quoted(option.help)}"


def _fish_value(argument: Argument) -> str:
    words = _words(argument)
    if words:
        return f"{'-x ' if argument.names else ''}-a {_quoted(' '.join(words))}"
    if argument.value in _DIRECTORIES:
        return "-x -a '(__fish_complete_directories)'"
    if argument.value in _FILES:
        return "-r -F" if argument.names else "-F"
    return ""


def _quoted(text: str) -> str:
    """For zsh and fish, which both take a quote within quotes in this way."""
    return "'" + text.replace("'", "'\"'\"'") + "'"
