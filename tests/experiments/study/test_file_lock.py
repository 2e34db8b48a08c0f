"""Locks go with whoever held them, also where an interrupt takes them from everybody."""

import fcntl
import threading

import pytest

from experiments.study import storage
from experiments.study.file_lock import FileLock


def is_free(path):
    other = FileLock(path)
    free = other.try_acquire()
    other.release()
    return free


def test_a_lock_is_held_until_it_is_given_back(tmp_path):
    lock = FileLock(tmp_path / "lock")
    assert lock.acquire()
    assert not is_free(lock.path)
    lock.release()
    assert is_free(lock.path)


def test_a_shared_lock_lets_others_share_and_nobody_own(tmp_path):
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    first.share()
    second.share()
    first.release()
    assert not is_free(first.path)
    second.release()
    assert is_free(first.path)


def test_a_lock_for_a_while_keeps_other_threads_out(tmp_path):
    lock, order = FileLock(tmp_path / "lock"), []

    def take():
        with lock.held():
            order.append("second")

    thread = threading.Thread(target=take)
    with lock.held():
        thread.start()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_an_interrupt_between_taking_and_holding_leaves_the_lock_free(tmp_path, monkeypatch):
    lock, real = FileLock(tmp_path / "lock"), FileLock._take

    def interrupted(self, kind):
        real(self, kind)
        raise KeyboardInterrupt

    monkeypatch.setattr(FileLock, "_take", interrupted)
    with pytest.raises(KeyboardInterrupt), lock.held():
        pass
    monkeypatch.undo()
    assert is_free(lock.path)


def test_a_lock_that_is_interrupted_while_it_waits_is_not_held(tmp_path, monkeypatch):
    def interrupted(file, kind):
        raise KeyboardInterrupt

    lock = FileLock(tmp_path / "lock")
    monkeypatch.setattr(fcntl, "flock", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lock.acquire()
    monkeypatch.undo()
    assert is_free(lock.path)


def append_lock(tmp_path):
    journal = tmp_path / "s.journal"
    journal.write_bytes(b'{"op_code": 0}\n{"op')
    return storage._AppendLock(tmp_path / "lock", journal)


@pytest.mark.parametrize("error", [KeyboardInterrupt, PermissionError])
def test_an_append_lock_is_free_after_a_fault_in_mending_the_journal(tmp_path, monkeypatch, error):
    def failing(path):
        raise error

    lock = append_lock(tmp_path)
    monkeypatch.setattr(storage, "_cut_torn_line", failing)
    with pytest.raises(error):
        lock.acquire()
    assert is_free(lock.path)


def test_an_append_lock_that_nobody_gave_back_is_taken_again_and_cuts_a_torn_line(tmp_path):
    lock = append_lock(tmp_path)
    lock.acquire()
    assert lock.acquire()
    assert lock.journal.read_bytes() == b'{"op_code": 0}\n'
    lock.release()
    assert is_free(lock.path)
