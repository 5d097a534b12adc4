"""The stack of directories that are known and not yet asked for."""

from hypothesis import given
from hypothesis import strategies as st

from dynamo_consistency.listers.frontier import Directory, Frontier


def directory(number: int) -> Directory:
    return Directory(b"/r/%d" % number, b"/r", 1, number, (7, number), (None,))


@given(st.lists(st.one_of(st.just("pop"), st.integers(1, 30)), max_size=60), st.integers(2, 9))
def test_it_is_a_stack_whatever_part_of_it_is_on_disk(steps, in_memory):
    frontier, plain, numbers = Frontier(in_memory), [], iter(range(10**6))
    for step in steps:
        if step == "pop":
            if plain:
                assert frontier.pop() == plain.pop()
        else:
            for _ in range(step):
                plain.append(directory(next(numbers)))
                frontier.push(plain[-1])
        assert len(frontier) == len(plain)
        assert len(frontier._stack) <= in_memory + 1
    while plain:
        assert frontier.pop() == plain.pop()
    assert not len(frontier)
    frontier.close()


def test_while_there_are_few_the_one_known_longest_comes_first():
    """A branch that is known early does not wait until everything else is done."""
    frontier = Frontier(few=3)
    for number in range(5):
        frontier.push(directory(number))
    assert [frontier.pop().mtime for _ in range(5)] == [4, 3, 0, 1, 2]


def test_hundreds_of_thousands_of_directories_wait_on_disk():
    frontier = Frontier()
    for number in range(300_000):
        frontier.push(directory(number))
    assert len(frontier) == 300_000
    assert len(frontier._stack) <= 20_000
    assert sum(frontier.pop().mtime for _ in range(300_000)) == sum(range(300_000))
    frontier.close()
