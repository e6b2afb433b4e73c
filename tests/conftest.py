"""Fixtures and rules for the tests through the real daemon, tests/system and tests/interop. See system/xvs.py."""
import signal
import threading

import pytest

import xvs


def may_set_signals():
    """pytest-xdist may run its workers' tests on another thread than the main one, where Python sets no handlers. Then
    the time limits of single commands must do."""
    return threading.current_thread() is threading.main_thread()


def interrupt(*_):
    """Ctrl-C, or SIGTERM when a CI job's time is up: everything is cleaned up, and a second one does not disturb that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def pytest_sessionstart(session):
    if may_set_signals():
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGTERM, interrupt)
    xvs.sweep()


@pytest.fixture
def lab():
    """A place to set up namespaces, switches and captures in; all of them end with the test."""
    with xvs.Lab() as the_lab:
        yield the_lab


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """No test runs for ever: SIGALRM interrupts what hangs."""
    if not may_set_signals():
        yield
        return
    marker = item.get_closest_marker("limit")
    seconds = (marker.args[0] if marker else 60) * xvs.slowness()

    def give_up(*_):
        raise TimeoutError(f"the test ran for more than {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(int(seconds))
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the end of every daemon's log."""
    report = (yield).get_result()
    the_lab = getattr(item, "funcargs", {}).get("lab")
    if report.failed and the_lab:
        report.sections += the_lab.logs()
