"""What is shown while something lasts."""

import io
import re
import time

import pytest

from experiments.common.steps import step


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def drawn(stream) -> list[str]:
    """Every state of the line."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    return [line for line in re.split(r"[\r\n]", plain) if line]


def test_elsewhere_it_is_one_line_before_the_work_starts():
    stream = io.StringIO()
    with step("Judging 5 finalists", 30, stream=stream) as advance:
        assert stream.getvalue() == "Judging 5 finalists …\n"
        advance(30)
    assert stream.getvalue() == "Judging 5 finalists …\n"


def test_what_is_quiet_says_nothing_elsewhere():
    stream = io.StringIO()
    with step("Drawing the report", stream=stream, quiet=True) as advance:
        advance(1)
    assert stream.getvalue() == ""


def test_on_a_terminal_it_is_shown_before_the_work_starts_and_fits(terminal):
    with step("Drawing the report", stream=terminal, quiet=True):
        assert "Drawing the report" in terminal.getvalue()
    assert max(map(len, drawn(terminal))) <= 80


def test_what_is_counted_is_shown_where_nobody_knows_the_end(terminal):
    with step("reading", unit="rows", stream=terminal) as advance:
        advance(12_345)
    assert any("12,345 rows" in line for line in drawn(terminal))


@pytest.mark.parametrize(("seconds", "left"), [(60, "1:00 left"), (0.001, "")])
def test_by_the_clock_time_is_left_until_it_takes_longer_than_expected(terminal, seconds, left):
    with step("compiling", seconds=seconds, stream=terminal):
        time.sleep(0.05)
    last = drawn(terminal)[-1]
    assert ("left" in last) == bool(left)
    assert left in " ".join(drawn(terminal))


def test_a_fault_inside_leaves_the_terminal_in_order(terminal):
    with pytest.raises(ValueError, match="broken"), step("x", stream=terminal):
        raise ValueError("broken")
    assert terminal.getvalue().rstrip("\r").endswith("\x1b[2K"), "the line is gone"
    assert "\x1b[?25h" in terminal.getvalue(), "the cursor is back"
