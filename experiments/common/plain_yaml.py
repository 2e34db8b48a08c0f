"""YAML of plain values: no tags that build objects, and no aliases."""

from typing import Any

import yaml


def load_plain(text: str) -> Any:
    """Read YAML that stands for plain values.

    An alias (``*name``) is refused: a few hundred bytes of aliases to aliases stand for more
    values than a machine can hold.

    Raises:
        yaml.YAMLError: If it is no YAML, has a tag that builds an object, or an alias.
        ValueError: If a value cannot be made of its text, such as a day that does not exist.
        RecursionError: If it is nested too deeply.

    Example:
        >>> load_plain("a: [1, x]")
        {'a': [1, 'x']}
        >>> load_plain("a: &b [1]\\nc: *b")
        Traceback (most recent call last):
        yaml.composer.ComposerError: found the alias *b; write the value out instead
          in "<unicode string>", line 2, column 4:
            c: *b
               ^
    """
    return yaml.load(text, Loader=_PlainLoader)


class _PlainLoader(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            peek: Any = self.peek_event  # The stubs of PyYAML leave it untyped.
            alias = peek()
            what = f"found the alias *{alias.anchor}; write the value out instead"
            raise yaml.composer.ComposerError(None, None, what, alias.start_mark)
        return super().compose_node(parent, index)
