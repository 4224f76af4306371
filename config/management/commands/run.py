import fcntl
import os
import signal
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from config import broker, roles
from config.demo import logins
from config.demo.keyring import Keyring
from config.embedded_postgres.server import ServerDidNotStart
from config.folders import BASE_DIR, VAR
from config.processes import Ended, Programs

MANAGE = str(BASE_DIR / "manage.py")
PORT_TIMEOUT = 5  # seconds
WEB_TIMEOUT = 60  # seconds


class Stopped(Exception):
    """Somebody asked us to stop."""


class Command(BaseCommand):
    help = "Run everything: database, broker, demo group, web, worker and beat. Ctrl-C stops it all."
    requires_system_checks: Sequence[str] = []  # `migrate` checks

    def add_arguments(self, parser: ArgumentParser) -> None:
        environment = os.environ
        parser.add_argument("--host", default=environment.get("LISTEN") or "127.0.0.1")
        parser.add_argument("--port", type=int, default=environment.get("PORT") or 8000)
        parser.add_argument("--demo", choices=["sample", "full", "none"], default=environment.get("DEMO") or "sample")

    def handle(self, *, host: str, port: int, demo: str, **options: Any) -> None:
        programs = Programs()
        stop_on(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        try:
            with alone(f"http://{host}:{port}/"):
                wait_for_port(host, port)
                self.prepare()
                self.start_broker(programs)
                self.load_demo(programs, demo)
                self.start_services(programs, host, port)
                self.welcome(host, port)
                programs.watch()
        except Stopped:
            self.say("Stopping …")
        except Ended as problem:
            raise CommandError(str(problem)) from problem
        finally:
            stop_on(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, ignore=True)
            programs.stop()
            connection.close()

    def prepare(self) -> None:
        self.say("Database …")
        try:
            connection.ensure_connection()
        except (OperationalError, ServerDidNotStart) as problem:
            raise CommandError(f"The database does not answer: {problem}") from problem
        call_command("migrate", interactive=False, verbosity=0)
        roles.set_up(demand_totp=False)  # a trial: with people on it, see docs/operations.md
        connection.close()
        self.say("Pages …")
        call_command("collectstatic", interactive=False, verbosity=0)

    def start_broker(self, programs: Programs) -> None:
        self.say("Broker …")
        try:
            if broker.is_needed():
                programs.start("broker", *broker.command())
                broker.wait_until_ready(programs.check)
            broker.reach()
        except (RedisError, BrokerError) as problem:
            raise CommandError(f"The broker does not answer: {problem}") from problem

    def load_demo(self, programs: Programs, size: str) -> None:
        if size == "none":
            return
        self.say("Demo group …")
        programs.start("demo", sys.executable, MANAGE, "demo", size)
        programs.finish("demo")

    def start_services(self, programs: Programs, host: str, port: int) -> None:
        processes = str(min(os.cpu_count() or 1, 4))
        workers = os.environ.get("WEB_CONCURRENCY") or processes
        web = f"--bind {host}:{port} --worker-class gthread --workers {workers} --threads 8"
        quiet = "--no-control-socket --graceful-timeout 5 --log-level warning"
        programs.start_module("web", "gunicorn", "config.wsgi", *web.split(), *quiet.split())
        celery = ("celery", "--quiet", "-A", "config")
        programs.start_module("worker", *celery, "worker", "--loglevel=WARNING", f"--concurrency={processes}")
        programs.start_module("beat", *celery, "beat", "--loglevel=WARNING", "--pidfile=")
        wait_for_answer(programs, host, port)

    def welcome(self, host: str, port: int) -> None:
        self.say(f"\nWutong runs at http://{host}:{port}/. Ctrl-C stops it.")
        for line in logins.lines(Keyring()):
            self.say(line)

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def stop_on(*signals: signal.Signals, ignore: bool = False) -> None:
    def stop(*_: object) -> None:
        raise Stopped

    for number in signals:
        signal.signal(number, signal.SIG_IGN if ignore else stop)


@contextmanager
def alone(address: str) -> Iterator[None]:
    """Hold var/run.lock, which also says who holds it."""
    VAR.mkdir(exist_ok=True)
    with (VAR / "run.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CommandError(f"Wutong already runs here: {file.read()}") from None
        file.truncate(0)
        file.write(f"{address}, process {os.getpid()} (stop it: kill {os.getpid()})")
        file.flush()
        yield


def wait_for_port(host: str, port: int) -> None:
    """A run that was killed may take a moment to let go of it."""
    deadline = time.monotonic() + PORT_TIMEOUT
    while True:
        try:
            socket.create_server((host, port)).close()
            return
        except OSError as problem:
            if time.monotonic() > deadline:
                advice = f"Choose another one: make run PORT={port + 1}"
                raise CommandError(f"Port {port} of {host}: {problem.strerror}. {advice}") from problem
            time.sleep(0.2)


def wait_for_answer(programs: Programs, host: str, port: int) -> None:
    """Any answer will do: the first request waits until a worker has loaded the project."""
    deadline = time.monotonic() + WEB_TIMEOUT
    while True:
        programs.check()
        client = HTTPConnection(host, port, timeout=WEB_TIMEOUT)
        try:
            client.request("GET", "/")
            client.getresponse()
            return
        except OSError as problem:
            if time.monotonic() > deadline:
                raise Ended("web does not answer") from problem
            time.sleep(0.1)
        finally:
            client.close()
