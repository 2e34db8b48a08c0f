"""Ctrl-C, pressed in real processes: always 130, never a traceback."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.config.command import run_command
from experiments.data.format.folder import load_click_log
from experiments.simulate import simulate

ROOT = Path(__file__).parents[3]
TIMEOUT = 120

# As `python -m` does: the package first, under the name that Python gives to a process then.
START = "import sys; sys.argv[0] = '-m'; import experiments; print('ready', flush=True)\n"
COMMAND = START + (
    "import runpy; runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)
IN_BETWEEN = START + (
    "import hashlib, os, signal, time\n"
    "from experiments.common.interrupts import arrived, interruptible\n"
    "with interruptible():\n    "
)
PRESS = "os.kill(os.getpid(), signal.SIGINT)"


def start(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )


def end_of(process):
    said, complaint = process.communicate(timeout=TIMEOUT)
    return process.returncode, said, complaint


def test_ctrl_c_while_a_command_is_imported():
    process = start(COMMAND, "experiments.sweep")
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert end_of(process) == (130, "", "Interrupted.\n")


def test_ctrl_c_in_a_compiled_call_that_takes_minutes():
    # It gives up Python's lock and never looks at signals, as compiled loops do.
    process = start(
        f"{IN_BETWEEN}print('in', flush=True); "
        + ("hashlib.pbkdf2_hmac('sha256', b'', b'', 2**31 - 1)")
    )
    assert [process.stdout.readline() for _ in range(2)] == ["ready\n", "in\n"]
    time.sleep(1.0)  # until the call is under way
    process.send_signal(signal.SIGINT)
    assert end_of(process) == (130, "", "Interrupted.\n")


LOST_IN_A_CALLBACK = """
    class Gone:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)
    Gone()
    while True:
        time.sleep(1)
"""


def test_a_ctrl_c_that_a_callback_swallows_ends_the_command_all_the_same():
    assert end_of(start(IN_BETWEEN + "pass" + LOST_IN_A_CALLBACK)) == (
        130,
        "ready\n",
        "Interrupted.\n",
    )


IN_ORDER = f"""
    try:
        {PRESS}
    except KeyboardInterrupt:
        arrived()
        {PRESS}
        print("in order")
"""


def test_a_signal_that_comes_twice_at_once_is_one_ctrl_c():
    assert end_of(start(IN_BETWEEN + "pass" + IN_ORDER)) == (0, "ready\nin order\n", "")


def test_an_impatient_second_ctrl_c_leaves_at_once():
    code = IN_ORDER.replace("arrived()", "arrived(); time.sleep(1.1)")
    assert end_of(start(IN_BETWEEN + "pass" + code)) == (130, "ready\n", "Interrupted.\n")


def test_ctrl_c_after_a_command_has_ended_leaves_at_once():
    code = f"{IN_BETWEEN}pass\n{PRESS}; print('still here')"
    assert end_of(start(code)) == (130, "ready\n", "Interrupted.\n")


IN_OTHER_WORDS = f"""
import os, signal
from experiments.config.command import ended
def run():
    try:
        {PRESS}
    except KeyboardInterrupt as pressed:
        raise ImportError("cannot import compiled") from pressed
sys.exit(ended(run))
"""


def test_a_ctrl_c_that_a_compiled_module_tells_in_other_words_is_one():
    assert end_of(start(START + IN_OTHER_WORDS)) == (130, "ready\n", "Interrupted.\n")


AT_EXIT = f"""
import atexit, os, signal
class Gone:
    def __del__(self):
        {PRESS}
sys.modules["kept until Python itself goes"] = Gone()
print("done")
"""


def test_ctrl_c_while_python_itself_ends_is_too_late_to_kill_it():
    assert end_of(start(START + AT_EXIT)) == (0, "ready\ndone\n", "")


CHILD = """
from experiments.common.interrupts import interruptible, unheard_by_children
import multiprocessing, os, signal, subprocess, time
spawn = multiprocessing.get_context("spawn")
with interruptible():
    try:
        with unheard_by_children():
            {child}
        os.killpg(0, signal.SIGINT)
        time.sleep(60)
    except KeyboardInterrupt:
        {wait}
"""


@pytest.mark.parametrize(
    ("child", "wait"),
    [
        (
            'child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.5)"])',
            'print("child", child.wait())',
        ),
        (
            "child = spawn.Process(target=time.sleep, args=(0.5,)); child.start()",
            'child.join(); print("child", child.exitcode)',
        ),
    ],
    ids=["program", "spawned worker"],
)
def test_ctrl_c_of_the_whole_group_passes_a_child_by_that_was_started_so(child, wait):
    told = end_of(start(START + CHILD.format(child=child, wait=wait)))
    assert told == (0, "ready\nchild 0\n", "")


def test_a_process_that_only_imports_the_package_keeps_its_own_handler():
    from experiments.common.interrupts import interruptible

    before = signal.getsignal(signal.SIGINT)
    with interruptible():
        assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


MADE = {
    "n_sessions": 300,
    "n_users": 24,
    "n_objects": 60,
    "n_topics": 4,
    "n_queries": 20,
    "n_shown": 6,
    "dimensions": 8,
}
SWEEP = [
    "experiments.sweep",
    "dataset=folder",
    "study.name=c",
    "study.n_trials=100000",
    "tracking=none",
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "shop"
    sizes = [f"simulated.{name}={value}" for name, value in MADE.items()]
    assert run_command("simulate", simulate, [f"output={folder}", *sizes]) == 0
    return f"dataset.path={folder}"


def press_after(seconds, out, *arguments):
    """A command interrupted some seconds after its package was imported, with all its processes."""
    process = start(COMMAND, *arguments, f"output_dir={out}")
    process.stdout.readline()
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGINT)
    return end_of(process)


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["study.workers=2"], ["tracking=mlflow"]], ids=str)
@pytest.mark.parametrize("seconds", [0.05, 0.4, 1.2, 2.5, 4.5, 8.0])
def test_ctrl_c_at_any_moment_of_a_sweep(seconds, more, shop, tmp_path):
    status, _, complaint = press_after(seconds, tmp_path, *SWEEP, shop, *more)
    assert status == 130
    assert "Traceback" not in complaint
    assert "Interrupted." in complaint


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.5, 1.5, 2.0, 2.5, 3.0])
@pytest.mark.parametrize("semantics", ["documented", "published"])
def test_ctrl_c_within_a_trial_that_takes_minutes(seconds, semantics, shop, tmp_path):
    long = [
        "adjuster.num_iterations=10000",
        f"adjuster.semantics={semantics}",
        "search_space.parameters={adjustment_rate: {type: float, low: 0.01, high: 0.02}}",
        "study.enqueue=none",
    ]
    status, _, complaint = press_after(2 + seconds, tmp_path, *SWEEP, shop, *long)
    assert (status, "Traceback" in complaint) == (130, False)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.3, 0.8, 1.2, 1.6, 2.0, 2.5])
def test_ctrl_c_while_a_data_set_is_made_leaves_nothing_half_made(seconds, tmp_path):
    made = tmp_path / "shop"
    process = start(COMMAND, "experiments.simulate", f"output={made}", "simulated.n_sessions=40000")
    process.stdout.readline()
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    status, _, complaint = end_of(process)
    assert "Traceback" not in complaint
    assert status == (0 if "Interrupted." not in complaint else 130)
    if made.exists():
        load_click_log(made)
    else:
        assert status == 130
