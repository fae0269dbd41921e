"""Locust's side: options, the city of the process, and the verdict at the end."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from gevent import get_hub
from locust import FastHttpUser, constant_throughput, events, task
from locust.env import Environment
from locust.exception import StopUser

from gateway.local import upfile
from gateway.local.running import data_folder
from gateway.settings import is_loopback
from loadtest.users._city import City

#: Of all requests so many may fail, by an overload for instance. Of outcomes none.
ERROR_SHARE_MAX = 0.001
UNEXPECTED = "unexpected outcome"

_log = logging.getLogger("loadtest.users")
_cities: dict[Environment, City] = {}
#: What each kind of user got done, all requests of it answered as expected.
_done: Counter[str] = Counter()


class Unmet(Exception):
    """A request was not answered as it must be; it is counted, and the turn is over."""


class CityUser(FastHttpUser):
    """A caller with one kind of turn, so many a day by all users of its class together.

    With as many users of each class as its `weight` (22 in all, and fewer would leave a kind out)
    the day passes in `--day` seconds; with twice as many in half of it.
    """

    abstract = True
    a_day: float
    _begun = False
    network_timeout = connection_timeout = 10.0

    def wait_time(self) -> float:
        """Keep the pace of the class, whatever a turn takes."""
        pace = self.pace() * self.a_day / self.weight / self.options.day
        return float(constant_throughput(pace)(self))

    def pace(self) -> float:
        """How much faster than in the day's mean turns come at this time of the day."""
        return 1.0

    @property
    def options(self) -> Any:
        """The command line's options."""
        return self.environment.parsed_options

    @property
    def city(self) -> City:
        """The city of this process."""
        return _cities[self.environment]

    def day_share(self) -> float:
        """How much of the day has passed, from 0 to 1, since the run began."""
        begun = self.environment.stats.start_time or time.time()
        return float((time.time() - begun) / self.options.day % 1)

    @task
    def turn(self) -> None:
        """One turn, counted if everything in it went as it must."""
        with suppress(Unmet):
            if not self._begun:
                self.begin()
                self._begun = True
            self.act()
            _done[type(self).__name__] += 1

    def begin(self) -> None:
        """What is done once, before the first turn, and again where it failed."""

    def act(self) -> None:
        """What this kind of user does."""
        raise NotImplementedError

    def expect(self, status: int, method: str, path: str, name: str, **given: Any) -> Any:
        """Send a request; the response.

        Raises:
            Unmet: it has another status.
        """
        with self.client.request(method, path, name=name, catch_response=True, **given) as answer:
            met = answer.status_code == status
            if met:
                answer.success()
            else:
                answer.failure(f"{answer.status_code} where {status} was expected")
        if not met:
            raise Unmet
        return answer

    def told(self, status: int, method: str, path: str, name: str, **given: Any) -> Any:
        """Send a request; the JSON of the response. Raises Unmet as `expect` does."""
        return self.expect(status, method, path, name, **given).json()

    def give_up(self, why: str) -> None:
        """End this user."""
        _log.warning("%s: %s", type(self).__name__, why)
        raise StopUser


def _add_options(parser: Any) -> None:
    parser.add_argument("--up", default="", help="the up.json of the city; that of `qianjiang up`")
    parser.add_argument("--day", type=float, default=3600.0, help="seconds in which a day passes")


def _find_the_city(environment: Environment, **_: Any) -> None:
    assert environment.parsed_options is not None
    chosen = environment.parsed_options.up
    city = City(upfile.read(Path(chosen) if chosen else data_folder("up") / upfile.NAME))
    if not is_loopback(city.base_url):
        raise SystemExit("these users play people who do not exist: on this machine only")
    _cities[environment], environment.host = city, city.base_url
    # gevent's clock stands while files are read and modules imported, and the run's time would be
    # counted from where it stood.
    get_hub().loop.update_now()


def _judge(environment: Environment, **_: Any) -> None:
    missed = list(_missed(environment))
    for words in missed:
        _log.error("budget missed: %s", words)
    environment.process_exit_code = 1 if missed else 0


def _missed(environment: Environment) -> Iterator[str]:
    total, errors = environment.stats.total, environment.stats.errors.values()
    if total.fail_ratio > ERROR_SHARE_MAX:
        yield f"{total.num_failures} of {total.num_requests} requests failed"
    for error in errors:
        if UNEXPECTED in str(error.error):
            yield f"{error.name}: {error.error}, {error.occurrences} times"
    for kind in environment.user_classes:
        if not _done[kind.__name__]:
            yield f"{kind.__name__} got nothing done"
    for each in environment.runner.exceptions.values() if environment.runner else ():
        yield str(each["msg"])


events.init_command_line_parser.add_listener(_add_options)
events.init.add_listener(_find_the_city)
events.quitting.add_listener(_judge)
