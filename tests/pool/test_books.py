"""The pool's books alone: no network, no time but the numbers given."""

from __future__ import annotations

import random

import pytest

import httpx
from httpx._pool.pool import MAX_OVERTAKEN, MAX_OVERTAKEN_AT_PAR, Pool


class Connection:
    def __init__(self, key, capacity=None):
        self.key = key
        self.multiplexes = capacity is not None
        self.capacity = 1 if capacity is None else capacity
        self.is_settled = self.is_open = True
        self.idle_since = self.opened_at = 0.0
        self.origin = None


class Waiter:
    def __init__(self):
        self.woken = False

    def done(self):
        return False

    def set_result(self, result):
        assert not self.woken, "woken twice"
        self.woken = True


def make(**limits):
    return Pool(httpx.Limits(**{"keepalive_expiry": None, **limits}))


def connect(pool, key="a", capacity=None, now=0.0):
    connection, may_open, _ = pool.check_out(key, now, capacity is not None)
    assert connection is None
    assert may_open
    opened = Connection(key, capacity)
    assert pool.opened(opened, now, pool.closings)
    return opened


def queue(pool, key="a", alone=False):
    connection, may_open, to_close = pool.check_out(key, 0.0, alone)
    assert (connection, may_open, to_close) == (None, False, [])
    place, _ = pool.wait(key, Waiter(), 0.0, alone)
    return place


def counts(pool):
    return tuple(pool.stats())


def test_those_who_wait_for_one_origin_are_served_in_order():
    pool = make(max_connections=1)
    connection = connect(pool)
    places = [queue(pool) for _ in range(5)]
    for place in places:
        assert [other.waiter.woken for other in places] == [other.served for other in places]
        assert not place.served
        assert pool.check_in(connection, 0.0) == []
        assert place.connection is connection
    assert pool.check_in(connection, 0.0) == []
    assert counts(pool) == (1, 1, 0, 0)


def test_origins_take_turns_for_slots():
    pool = make(max_connections=1)
    connection = connect(pool)
    many = [queue(pool, "b") for _ in range(100)]
    one = queue(pool, "c")
    assert pool.check_in(connection, 0.0) == [connection]
    assert many[0].served
    second = Connection("b")
    pool.opened(second, 0.0, pool.closings)
    served_before = 0
    while not one.served:
        served_before += 1
        assert served_before <= MAX_OVERTAKEN + 1
        if pool.check_in(second, 0.0):
            break
    assert one.served


def test_an_origin_whose_own_connections_come_back_uses_up_its_turn():
    pool = make(max_connections=1)
    connection = connect(pool, "a")
    many = [queue(pool, "a") for _ in range(100)]
    one = queue(pool, "b")
    while not one.served:
        pool.check_in(connection, 0.0)
    assert sum(place.served for place in many) <= MAX_OVERTAKEN + 1


def test_origins_with_as_many_connections_each_keep_them_for_longer():
    pool = make(max_connections=2)
    first, second = connect(pool, "a"), connect(pool, "b")
    many = [queue(pool, "a") for _ in range(2 * MAX_OVERTAKEN_AT_PAR)]
    one = queue(pool, "b")
    while not one.served:
        pool.check_in(first, 0.0)
    assert one.connection is None
    assert MAX_OVERTAKEN_AT_PAR <= sum(place.served for place in many) <= MAX_OVERTAKEN_AT_PAR + 1
    assert pool.discard(second)


@pytest.mark.parametrize("waits", [False, True])
def test_a_connection_that_multiplexes_makes_room_for_another_origin(waits):
    pool = make(max_connections=1)
    connection = connect(pool, "a", 2)
    one = queue(pool, "b")
    begun = 0
    while True:  # one exchange begins before the other one ends: it is never idle
        taken = pool.take_idle("a", 0.0) or pool.check_out("a", 0.0, True)[0]
        if taken is None:
            break
        begun += 1
        assert begun <= MAX_OVERTAKEN + 2
        place = queue(pool, "a", True) if waits else None
        pool.check_in(connection, 0.0)
        if place is not None and place.served:
            begun += 1
            pool.check_in(connection, 0.0)
    assert not one.served
    assert pool.check_in(connection, 0.0) == [connection]
    assert one.served
    assert one.connection is None


def test_one_connection_makes_room_for_each_that_waits():
    pool = make(max_connections=2)
    first, second = connect(pool, "a", 1), connect(pool, "a", 1)
    first.capacity = second.capacity = 100
    pool.resized(first)
    pool.resized(second)
    one = queue(pool, "b")
    taken = [pool.check_out("a", 0.0, True)[0] for _ in range(60)]
    assert len({id(connection) for connection in taken[-20:]}) == 1
    gone = taken[0]
    for _ in range(taken.count(gone)):
        pool.check_in(gone, 0.0)
    assert pool.check_in(gone, 0.0) == [gone]
    assert one.served


def test_a_newcomer_does_not_take_the_place_of_one_who_waits():
    pool = make(max_connections=1)
    connection = connect(pool)
    place = queue(pool)
    pool.discard(connection)
    assert place.served
    assert pool.check_out("a", 0.0)[:2] == (None, False)


def test_the_limit_for_an_origin():
    pool = make(max_connections=5, max_connections_per_host=2)
    first, _ = connect(pool), connect(pool)
    place = queue(pool)
    connect(pool, "b")
    assert not place.served
    pool.discard(first)
    assert place.served
    assert place.connection is None


def test_at_the_limit_for_an_origin_a_slot_goes_to_another_one():
    pool = make(max_connections=2, max_connections_per_host=1)
    a = connect(pool, "a")
    connect(pool, "b")
    at_limit = queue(pool, "b")
    other = queue(pool, "c")
    pool.discard(a)
    assert other.served
    assert not at_limit.served


def test_an_idle_connection_makes_room_for_another_origin():
    pool = make(max_connections=1)
    idle = connect(pool, "a")
    pool.check_in(idle, 0.0)
    connection, may_open, to_close = pool.check_out("b", 0.0)
    assert (connection, may_open, to_close) == (None, True, [idle])


def test_what_becomes_free_between_asking_and_waiting_is_not_missed():
    pool = make(max_connections=1)
    connection = connect(pool)
    assert pool.check_out("a", 0.0)[:2] == (None, False)
    pool.check_in(connection, 0.0)
    place, _ = pool.wait("a", Waiter(), 0.0)
    assert place.connection is connection


def test_who_gives_up_in_the_moment_of_being_served_passes_it_on():
    # N2
    pool = make(max_connections=1)
    connection = connect(pool)
    first, second = queue(pool), queue(pool)
    pool.check_in(connection, 0.0)
    assert first.served
    pool.give_up(first, 0.0)
    assert second.connection is connection
    pool.check_in(connection, 0.0)
    assert counts(pool) == (1, 1, 0, 0)


def test_leave_to_open_is_passed_on_too():
    pool = make(max_connections=1)
    connection = connect(pool)
    first, second = queue(pool), queue(pool)
    pool.discard(connection)
    assert first.served
    assert first.connection is None
    pool.give_up(first, 0.0)
    assert second.served
    pool.release_slot("a", pool.closings)
    assert counts(pool) == (0, 0, 0, 0)


def test_who_replaces_a_connection_keeps_its_slot():
    pool = make(max_connections=1)
    connection = connect(pool)
    place = queue(pool)
    assert pool.replace(connection)
    assert not place.served
    assert counts(pool) == (1, 0, 0, 1)
    other = Connection("a")
    assert pool.opened(other, 0.0, pool.closings)
    pool.check_in(other, 0.0)
    assert place.connection is other


def test_a_connection_that_is_not_in_use_leaves_no_slot():
    pool = make()
    connection = connect(pool)
    pool.check_in(connection, 0.0)
    assert not pool.replace(connection)
    assert counts(pool) == (1, 1, 0, 0)


def test_an_idle_connection_expires():
    pool = make(keepalive_expiry=5.0)
    connection = connect(pool)
    pool.check_in(connection, 10.0)
    assert pool.check_out("a", 15.0)[0] is connection
    pool.check_in(connection, 20.0)
    assert pool.check_out("a", 25.1) == (None, True, [connection])


def test_what_was_idle_once_does_not_make_all_later_requests_look_for_what_expires():
    pool = make(keepalive_expiry=5.0)
    connection = connect(pool, capacity=10)
    pool.check_in(connection, 10.0)
    assert pool.take_idle("a", 11.0) is connection  # in use from here on
    assert pool.take_idle("a", 16.0) is None
    assert pool.check_out("a", 16.0)[0] is connection
    assert pool.take_idle("a", 16.0) is connection


def test_an_old_connection_is_not_kept():
    pool = make(max_connection_age=60.0)
    connection = connect(pool, now=100.0)
    assert pool.check_in(connection, 159.0) == []
    assert pool.check_out("a", 159.5)[0] is connection
    assert pool.check_in(connection, 160.0) == [connection]
    assert counts(pool) == (0, 0, 0, 0)


def test_a_connection_that_multiplexes_serves_up_to_its_capacity():
    pool = make()
    connection = connect(pool, capacity=3)
    assert pool.check_out("a", 0.0, True)[0] is connection
    assert pool.check_out("a", 0.0, True)[0] is connection
    assert pool.check_out("a", 0.0, True)[:2] == (None, True)
    another = Connection("a", 3)
    pool.opened(another, 0.0, pool.closings)
    assert pool.check_out("a", 0.0, True)[0] is another
    for _ in range(3):
        assert pool.check_in(connection, 0.0) == []
    assert counts(pool) == (2, 1, 1, 0)


def test_one_connects_and_the_others_wait_to_see_what_comes_of_it():
    pool = make()
    assert pool.check_out("a", 0.0, True)[1]
    places = [queue(pool, alone=True) for _ in range(5)]
    connection = Connection("a", 4)
    pool.opened(connection, 0.0, pool.closings)
    assert [place.connection for place in places[:3]] == [connection] * 3
    assert [place.served for place in places[3:]] == [True, False]  # the next one has leave to open another
    assert places[3].connection is None
    pool.opened(Connection("a", 4), 0.0, pool.closings)
    assert places[4].served


def test_then_they_wait_to_see_how_much_it_takes():
    pool = make()
    assert pool.check_out("a", 0.0, True)[1]
    places = [queue(pool, alone=True) for _ in range(4)]
    connection = Connection("a", 1)
    connection.is_settled = False
    pool.opened(connection, 0.0, pool.closings)
    assert not any(place.served for place in places)
    connection.capacity, connection.is_settled = 3, True
    pool.resized(connection)
    assert [place.connection for place in places[:2]] == [connection] * 2
    assert [(place.served, place.connection) for place in places[2:]] == [(True, None), (False, None)]


def test_who_never_says_how_much_it_takes_is_waited_for_until_it_is_gone():
    pool = make()
    assert pool.check_out("a", 0.0, True)[1]
    first, second, third = (queue(pool, alone=True) for _ in range(3))
    connection = Connection("a", 1)
    connection.is_settled = False
    pool.opened(connection, 0.0, pool.closings)
    assert pool.check_in(connection, 0.0) == []
    assert first.connection is connection  # one at a time may always be
    assert not second.served
    assert pool.give_up(third, 0.0) == (True, [])  # patience is over, and there is room
    assert pool.discard(connection)
    connection.capacity, connection.is_settled = 0, True
    pool.resized(connection)
    assert (second.served, second.connection) == (True, None)  # and not for the next one to fail in the same way


def test_if_it_carries_one_exchange_at_a_time_all_may_connect():
    pool = make(max_connections=3)
    assert pool.check_out("a", 0.0, True)[1]
    places = [queue(pool, alone=True) for _ in range(3)]
    pool.opened(Connection("a"), 0.0, pool.closings)
    assert [(place.served, place.connection) for place in places] == [(True, None), (True, None), (False, None)]


def test_if_it_fails_all_may_connect():
    pool = make()
    assert pool.check_out("a", 0.0, True)[1]
    places = [queue(pool, alone=True) for _ in range(3)]
    pool.release_slot("a", pool.closings)
    assert all(place.served and place.connection is None for place in places)


def test_who_waits_only_for_anothers_connecting_may_connect_in_the_end():
    pool = make(max_connections=2)
    assert pool.check_out("a", 0.0, True)[1]
    place = queue(pool, alone=True)
    assert pool.give_up(place, 0.0) == (True, [])
    assert counts(pool) == (2, 0, 0, 0)


def test_a_capacity_that_changes():
    pool = make()
    connection = connect(pool, capacity=1)
    assert pool.check_out("a", 0.0, True)[1]
    place = queue(pool, alone=True)
    connection.capacity = 2
    pool.resized(connection)
    assert place.connection is connection
    connection.capacity = 0
    pool.resized(connection)
    assert pool.check_in(connection, 0.0) == []
    assert pool.check_in(connection, 0.0) == [connection]


def test_closing_wakes_all_who_wait():
    pool = make(max_connections=1)
    connection = connect(pool)
    place = queue(pool)
    closings = pool.closings
    assert pool.close() == [connection]
    assert place.waiter.woken
    assert pool.closings != closings
    assert pool.check_in(connection, 0.0) == [connection]
    assert not pool.opened(Connection("a"), 0.0, closings)
    pool.release_slot("a", closings)
    assert counts(pool) == (0, 0, 0, 0)


@pytest.mark.parametrize("seed", range(30))
def test_whatever_happens_the_books_are_right(seed):
    chance = random.Random(seed)
    pool = make(max_connections=4, max_connections_per_host=3, max_keepalive_connections=2)
    in_use, waiting, granted = [], [], []

    def settle():
        for place in [place for place in waiting if place.served]:
            waiting.remove(place)
            if place.connection is None:
                granted.append(place.origin.key)
            else:
                in_use.append(place.connection)

    def step():
        key = chance.choice("abc")
        alone = key == "c"
        action = chance.randrange(7)
        if action <= 2:
            connection, may_open, _ = pool.check_out(key, 0.0, alone)
            if connection is not None:
                in_use.append(connection)
            elif may_open:
                granted.append(key)
            else:
                waiting.append(pool.wait(key, Waiter(), 0.0, alone)[0])
        elif action == 3 and granted:
            opened = granted.pop(chance.randrange(len(granted)))
            if chance.random() < 0.3:
                pool.release_slot(opened, pool.closings)
            else:
                in_use.append(Connection(opened, 3 if opened == "c" else None))
                pool.opened(in_use[-1], 0.0, pool.closings)
        elif action <= 5 and in_use:
            connection = in_use.pop(chance.randrange(len(in_use)))
            if not connection.multiplexes and chance.random() < 0.2:
                assert pool.replace(connection)
                granted.append(connection.key)
            elif chance.random() < 0.2:
                in_use[:] = [other for other in in_use if other is not connection]
                pool.discard(connection)
            else:
                pool.check_in(connection, 0.0)
        elif waiting:
            place = waiting.pop(chance.randrange(len(waiting)))
            if pool.give_up(place, 0.0)[0]:
                granted.append(place.origin.key)

    for _ in range(400):
        step()
        settle()
        found = pool.stats()
        assert found.open <= 4
        assert found.in_use == len(set(in_use))
        assert found.open == found.in_use + found.idle + len(granted)
        assert found.waiting == len(waiting)
        assert not (waiting and not in_use and not granted), "somebody waits for nothing"
    while in_use or granted:
        for connection in in_use:
            pool.check_in(connection, 0.0)
        in_use.clear()
        for key in granted:
            pool.release_slot(key, pool.closings)
        granted.clear()
        settle()
    assert not waiting
    assert pool.stats().in_use == 0
    assert pool.stats().open == pool.stats().idle


def test_a_connection_that_ends_while_nobody_uses_it_is_in_the_books_no_more():
    pool = make(max_connections=2)
    ended, other = connect(pool, capacity=5), connect(pool, "b", capacity=5)
    for connection in (ended, other):
        pool.check_in(connection, 1.0)
    assert counts(pool) == (2, 2, 0, 0)
    ended.is_open, ended.capacity = False, 0
    for _ in range(2):
        pool.resized(ended)
        assert counts(pool) == (1, 1, 0, 0)
    assert pool.check_out("a", 2.0, True)[:2] == (None, True)
