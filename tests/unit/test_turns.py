"""What a run of `make test` leaves to others is taken by one of them, and by `make test-all`."""

from __future__ import annotations

import pytest

from tests.support.turns import Takes, Turns, of_other_runs

POINTS = range(40)
TESTS = (
    *(Takes("large", f"large::{number}") for number in range(8)),
    *(Takes(f"small{number}", f"small{number}::one") for number in range(9)),
    *(Takes("small0", f"small0::{number}", alone=True) for number in range(5)),
    *(Takes(f"slow{file}", f"slow{file}::{number}", whole=True) for file in range(4) for number in range(3)),
)


def taken(number: int, tests: tuple[Takes, ...] = TESTS) -> set[str]:
    return {one.test for one in tests} - of_other_runs(tests, number)


def test_each_test_has_its_turn_and_a_run_takes_an_eighth() -> None:
    runs = [taken(number) for number in range(60)]

    assert set().union(*runs) == {one.test for one in TESTS}
    of_each = {tuple(sum(test.startswith(kind) for test in run) for kind in ("large", "small", "slow")) for run in runs}
    assert of_each == {(1, 2, 3)}
    assert taken(7) == taken(7)


def test_a_file_whose_setup_takes_long_is_taken_as_one() -> None:
    for number in range(20):
        assert len({test.split("::")[0] for test in taken(number) if test.startswith("slow")}) == 1


def test_what_runs_alone_is_chosen_as_among_all_tests_also_when_the_others_are_not_collected() -> None:
    alone = tuple(one for one in TESTS if one.alone)
    for number in range(20):
        assert taken(number, alone) == taken(number) & {one.test for one in alone}


class Config:
    def __init__(self, first: int = 0, *, thorough: bool = False, soak: bool = False) -> None:
        self._options = {"--first": first, "--thorough": thorough, "--soak": soak}

    def getoption(self, name: str) -> object:
        return self._options[name]


def turns(first: int = 0, *, thorough: bool = False, soak: bool = False) -> Turns:
    return Turns(Config(first, thorough=thorough, soak=soak), "test")  # type: ignore[arg-type]


def test_each_point_has_its_turn() -> None:
    taken = [set(turns(number).of(POINTS, one_in=8)) for number in range(60)]

    assert set().union(*taken) == set(POINTS)
    assert {len(one) for one in taken} == {5}


def test_the_same_run_takes_the_same_points() -> None:
    def chosen() -> list[list[int]]:
        of_one_test = turns(7)
        return [list(of_one_test.of(POINTS, one_in=8)) for _ in range(3)]

    assert chosen() == chosen()


@pytest.mark.parametrize("count", range(5))
def test_of_a_few_points_one_is_taken(count: int) -> None:
    assert len(turns().of(range(count), one_in=8)) == min(count, 1)


def test_all_are_taken_when_all_are_asked_for() -> None:
    assert turns(thorough=True).of(POINTS, one_in=8) == POINTS
    assert len(turns(thorough=True).of(POINTS, one_in=8, thorough=5)) == 8
    assert turns(soak=True).of(POINTS, one_in=8, thorough=5) == POINTS
