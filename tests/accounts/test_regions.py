"""C3 of the domain standards: DOM-10 and DOM-11."""

from collections import Counter
from datetime import date

from accounts.models import Region
from accounts.queries import find_region, list_regions
from accounts.rules.regions import REGIONS, regions_valid_on
from accounts.services.reference_data import load_regions
from tests.factories.accounts import RegionFactory

TODAY = date(2026, 6, 15)


def kinds_on(day):
    return Counter(entry.kind for entry in regions_valid_on(day))


def test_dom_10_districts_of_today():
    assert kinds_on(TODAY) == {"district": 37, "special_area": 2, "system": 3}


def test_dom_10_districts_before_the_merger():
    assert kinds_on(date(2025, 11, 1))["district"] == 38


def test_the_merger_happens_within_one_day():
    assert kinds_on(date(2025, 11, 5))["district"] == 38
    assert kinds_on(date(2025, 11, 6))["district"] == 37


def test_codes_and_names_are_unique():
    assert len({entry.code for entry in REGIONS}) == len(REGIONS) == 44
    assert len({entry.name for entry in REGIONS}) == 44


def test_dom_11_merged_districts_cannot_be_chosen_but_stay(regions):
    names = list(list_regions(today=TODAY).values_list("name", flat=True))

    assert "两江新区" in names
    assert "渝北区" not in names
    assert "江北区" not in names
    assert find_region("500112", today=TODAY) is None
    assert regions["500112"].name == "渝北区"
    assert regions["500112"].successor == regions["500157"]
    assert regions["500105"].successor == regions["500157"]


def test_dom_11_before_the_merger_they_could(regions):
    day = date(2025, 11, 5)

    assert find_region("500112", today=day) == regions["500112"]
    assert find_region("500157", today=day) is None


def test_loading_again_changes_nothing(regions):
    before = list(Region.objects.order_by("pk").values())

    assert load_regions() == 44

    assert list(Region.objects.order_by("pk").values()) == before


def test_a_district_that_staff_ended_stays_ended(regions):
    """An update of the portal must not bring back what the list does not know of yet."""
    new = RegionFactory(code="500158", name="某新区")
    Region.objects.filter(code="500103").update(
        name="渝中区（原）", valid_until=date(2026, 6, 1), successor=new
    )

    load_regions()

    row = Region.objects.get(code="500103")
    assert (row.name, row.valid_until) == ("渝中区（原）", date(2026, 6, 1))
    assert row.successor == new
    assert find_region("500103", today=TODAY) is None


def test_what_the_list_says_of_a_merger_is_written(regions):
    Region.objects.filter(code="500112").update(valid_until=None, successor=None)

    load_regions()

    row = Region.objects.get(code="500112")
    assert (row.valid_until, row.successor) == (
        date(2025, 11, 6),
        regions["500157"],
    )


def test_rows_of_staff_survive_the_loading(regions):
    own = RegionFactory(code="CQ-OWN", name="某新区")

    load_regions()

    own.refresh_from_db()
    assert own.name == "某新区"
    assert Region.objects.count() == 45
