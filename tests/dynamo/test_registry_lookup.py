"""Single files asked for by name: the same answers as the whole inventory gives."""

import pytest
from registry_worlds import GENERATIONS, Registered

from dynamo_consistency.backend.contract import ItemisingRegistry, Known, LookingInventory
from dynamo_consistency.errors import BackendError


@pytest.fixture
def site(world) -> Registered:
    return Registered(world)


def look_up(world, *names: bytes) -> dict[bytes, Known]:
    return world.backend().inventory.look_up("T2_HERE", names)


def test_the_backend_answers_for_single_files(embedded):
    backend = embedded.backend()
    assert isinstance(backend.inventory, LookingInventory)
    assert isinstance(backend.registry, ItemisingRegistry)


def test_only_the_files_that_were_asked_for_and_are_at_the_site_are_in_the_answer(world, site):
    foreign = world.block(world.dataset("/B"), "b")
    world.file(foreign, b"/store/elsewhere")
    world.replica(foreign, site.other, site.group)
    answer = look_up(world, b"/store/f/1", b"/store/elsewhere", b"/store/unknown", b"/store/f")
    assert answer == {b"/store/f/1": Known(7, False, "/A/E-v1/AOD")}


def test_a_file_is_as_young_as_the_stream_says(world, site):
    block = world.block(world.dataset("/B"), "b")
    world.file(block, b"/store/young")
    world.replica(block, site.here, site.group, last_update=1_700_000_000)
    assert look_up(world, b"/store/young")[b"/store/young"].time == 1_700_000_000


def test_a_name_that_only_the_database_takes_for_the_same_is_not_known(world, site):
    world.file(site.block, b"/store/spaced ")
    names = [b"/store/f/1 ", b"/STORE/f/1", b"/store/spaced", "/store/日本".encode(), b"/store/" + b"x" * 600, b""]
    assert look_up(world, *names) == {}
    assert set(look_up(world, b"/store/spaced ")) == {b"/store/spaced "}


def test_an_unknown_size_is_none(world, site):
    world.file(site.block, b"/store/sizeless", size=-1)
    assert look_up(world, b"/store/sizeless")[b"/store/sizeless"].size is None


def test_in_flight_means_what_it_means_in_the_stream(world, site):
    incomplete, unowned = world.block(world.dataset("/I"), "b"), world.block(world.dataset("/U"), "b")
    held = world.file(incomplete, b"/store/i/held")
    world.file(incomplete, b"/store/i/lacking")
    world.file(unowned, b"/store/u")
    world.replica(incomplete, site.here, site.group, complete=False)
    world.replica(unowned, site.here, 0)
    world.claim(incomplete, site.here, held)
    world.subscription(site.numbers[b"/store/f/1"], site.here, delete=0)
    world.subscription(site.numbers[b"/store/f/2"], site.here, delete=1, status="cancelled")
    expected = world.in_flight("T2_HERE")
    assert {name: known.in_flight for name, known in look_up(world, *expected).items()} == expected
    assert sorted(expected.values()) == [False, False, False, True, True, True]


@pytest.mark.mariadb
@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_generation_can_be_asked(make_world, generation):
    site = Registered(make_world(generation), mapped=False)
    assert set(look_up(site.world, *site.names)) == set(site.names)


def test_many_names_are_asked_for_in_parts(own_world):
    site = Registered(own_world)
    names = [f"/store/x/{number}".encode() for number in range(1, 1101)]
    for name in names[::2]:
        own_world.file(site.block, name)
    assert set(look_up(own_world, *names)) == set(names[::2])


def test_trouble_is_an_error_and_never_an_unknown_file(world, site):
    with pytest.raises(BackendError, match="knows no site"):
        world.backend().inventory.look_up("T2_NOWHERE", [b"/store/f/1"])
    backend = world.backend()
    backend.inventory.look_up("T2_HERE", [])
    for table in ("files", "blocks"):
        world.execute(f"ALTER TABLE {table} RENAME TO away")
        try:
            with pytest.raises(BackendError):
                backend.inventory.look_up("T2_HERE", [b"/store/f/1"])
        finally:
            world.execute(f"ALTER TABLE away RENAME TO {table}")
