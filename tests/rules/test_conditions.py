"""The one language of conditions."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.conditions import All, Any_, FactTest, Not, facts_named, failing_term, holds, parse_condition
from app.rules.events import FactValue, Status
from app.rules.problems import InvalidCondition

FACTS: Mapping[str, FactValue] = {
    "status": "pending",
    "priority": "high",
    "tier": "Platinum",
    "tags": ("vip", "Gold-contract"),
    "labels": (),
    "group": None,
    "organization": "42",
    "score": 3,
    "ratio": 2.5,
    "flag": True,
    "subject": "Printer [3rd floor] burns",
    "requester_domain": "mail.example.org",
    "created_at": datetime(2026, 3, 2, 9, tzinfo=UTC),
    "canonical": Status.PENDING,
    "born_on": datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=1))),
}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"status": "pending"}, True),
        ({"status": "PENDING"}, True),
        ({"status": "open"}, False),
        ({"canonical": "pending"}, True),
        ({"status": "pending", "tier": "platinum"}, True),
        ({"status": "pending", "tier": "gold"}, False),
        ({"tags": "vip"}, True),
        ({"tags": "gold-contract"}, True),
        ({"tags": "gold"}, False),
        ({"tags": ["gold", "vip"]}, True),
        ({"tags": ["gold", "silver"]}, False),
        ({"tags": {"all": ["vip", "gold-*"]}}, True),
        ({"tags": {"all": ["vip", "silver"]}}, False),
        ({"tags": {"any": ["silver-*", "vip"]}}, True),
        ({"tags": {"not": "vip"}}, False),
        ({"tags": {"not": ["gold", "silver"]}}, True),
        ({"priority": ["high", "urgent"]}, True),
        ({"priority": ["low", "normal"]}, False),
        ({"priority": {"gte": "high"}}, True),
        ({"priority": {"gt": "high"}}, False),
        ({"priority": {"lt": "urgent", "gt": "normal"}}, True),
        ({"requester_domain": "*.example.org"}, True),
        ({"requester_domain": "*.EXAMPLE.org"}, True),
        ({"requester_domain": "example.*"}, False),
        ({"requester_domain": ["*.com", "*.org"]}, True),
        ({"requester_domain": "mail.example.or?"}, True),
        ({"tags": "g*-contract"}, True),
        ({"subject": "*[[]3rd floor]*"}, True),
        ({"subject": "printer"}, False),
        ({"organization": 42}, True),
        ({"organization": "42"}, True),
        ({"score": "3"}, True),
        ({"score": 3.0}, True),
        ({"score": [1, 2, 3]}, True),
        ({"ratio": 2.5}, True),
        ({"score": "*"}, True),
        ({"score": True}, False),
        ({"flag": True}, True),
        ({"flag": 1}, False),
        ({"flag": "true"}, False),
        ({"flag": {"not": False}}, True),
        ({"score": {"gte": 3}}, True),
        ({"score": {"gt": 3}}, False),
        ({"score": {"lte": 3, "lt": 3.5}}, True),
        ({"score": {"lt": 3}}, False),
        ({"score": {"gte": 3, "lt": 3}}, False),
        ({"score": {"not": {"gte": 3}}}, False),
        ({"organization": {"gte": 3}}, False),
        ({"status": {"gte": 3}}, False),
        ({"tags": {"gte": 3}}, False),
        ({"flag": {"gte": 0}}, False),
        ({"score": {"gte": "high"}}, False),
        ({"created_at": {"gte": date(2026, 3, 2)}}, True),
        ({"created_at": {"lt": date(2026, 3, 2)}}, False),
        ({"created_at": {"gt": datetime(2026, 3, 2, 8)}}, True),  # noqa: DTZ001
        ({"created_at": datetime(2026, 3, 2, 9, tzinfo=UTC)}, True),
        ({"created_at": datetime(2026, 3, 2, 11, tzinfo=timezone(timedelta(hours=2)))}, True),
        ({"created_at": datetime(2026, 3, 2, 9)}, True),  # noqa: DTZ001
        ({"created_at": {"gte": datetime(2026, 3, 2, 11, 1, tzinfo=timezone(timedelta(hours=2)))}}, False),
        ({"created_at": date(2026, 3, 2)}, False),
        ({"born_on": datetime(2026, 3, 2, tzinfo=UTC)}, True),
        ({"created_at": {"gte": 3}}, False),
        ({"group": None}, True),
        ({"absent": None}, True),
        ({"labels": None}, True),
        ({"status": None}, False),
        ({"group": [None, "support"]}, True),
        ({"status": [None, "open"]}, False),
        ({"absent": "x"}, False),
        ({"absent": {"not": "x"}}, True),
        ({"absent": "*"}, False),
        ({"absent": {"gte": 0}}, False),
        ({"absent": ["x", "y"]}, False),
        ({"status": {"exists": True}}, True),
        ({"group": {"exists": True}}, False),
        ({"labels": {"exists": False}}, True),
        ({"absent": {"exists": False}}, True),
        ({"tags": {"exists": False}}, False),
        ({"any": [{"status": "open"}, {"tier": "platinum"}]}, True),
        ({"any": [{"status": "open"}, {"tier": "gold"}]}, False),
        ({"all": [{"status": "pending"}, {"tier": "platinum"}]}, True),
        ({"all": [{"status": "pending"}, {"tier": "gold"}]}, False),
        ({"not": {"status": "open"}}, True),
        ({"not": {"status": "pending", "tier": "platinum"}}, False),
        ({"tier": "platinum", "not": {"tags": "trial"}, "any": [{"score": {"gt": 2}}, {"flag": False}]}, True),
    ],
    ids=str,
)
def test_a_condition_holds_or_does_not(data: dict[str, object], expected: bool) -> None:
    condition = parse_condition(data)

    assert expected is holds(condition, FACTS)
    assert (failing_term(condition, FACTS) is None) is expected


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"tier": "gold"}, "tier is Platinum, not gold"),
        ({"status": "pending", "tier": "gold", "priority": "low"}, "tier is Platinum, not gold"),
        ({"absent": "gold"}, "absent is not set, not gold"),
        ({"tier": "X"}, "tier is Platinum, not X"),
        ({"tags": "silver"}, "tags is vip, Gold-contract, not silver"),
        ({"priority": ["low", "normal"]}, "priority is high, not one of low, normal"),
        ({"requester_domain": "*.com"}, "requester_domain is mail.example.org, not like *.com"),
        ({"score": {"gt": 3}}, "score is 3, not more than 3"),
        ({"score": {"gte": 4}}, "score is 3, not at least 4"),
        ({"score": {"lt": 3}}, "score is 3, not less than 3"),
        ({"score": {"lte": 2}}, "score is 3, not at most 2"),
        ({"group": {"exists": True}}, "group is not set, but has to be set"),
        ({"status": {"exists": False}}, "status is pending, but must not be set"),
        ({"status": None}, "status is pending, but must not be set"),
        ({"flag": False}, "flag is true, not false"),
        ({"status": {"not": "pending"}}, "status is pending, which is excluded"),
        ({"not": {"status": "pending", "tier": "platinum"}}, "status is pending and tier is Platinum, which is excluded"),
        ({"any": [{"status": "open"}, {"tier": "gold"}]}, "status is pending, not open; tier is Platinum, not gold"),
        ({"all": [{"tier": "platinum"}, {"status": "open"}]}, "status is pending, not open"),
    ],
    ids=str,
)
def test_the_first_term_that_fails_is_named_in_a_sentence(data: dict[str, object], sentence: str) -> None:
    assert sentence == failing_term(parse_condition(data), FACTS)


def test_a_long_fact_is_cut_in_the_sentence() -> None:
    sentence = failing_term(parse_condition({"subject": "x"}), {"subject": "y" * 500})

    assert sentence == f"subject is {'y' * 59}…, not x"
    assert failing_term(parse_condition({"subject": "x"}), {"subject": "y" * 60}) == f"subject is {'y' * 60}, not x"


@pytest.mark.parametrize(
    ("data", "path", "sentence"),
    [
        ("platinum", (), "a condition is a map"),
        ([], (), "a condition is a map"),
        (None, (), "a condition is a map"),
        ({}, (), "the condition is empty"),
        ({"any": []}, ("any",), "at least one entry"),
        ({"all": {"tier": "gold"}}, ("all",), "has to be a list"),
        ({"any": [{"tier": "gold"}, "silver"]}, ("any", 1), "a condition is a map"),
        ({"any": [{"tier": {"gtee": 3}}]}, ("any", 0, "tier", "gtee"), "did you mean gte?"),
        ({"not": "pending"}, ("not",), "a condition is a map"),
        ({"status": []}, ("status",), "at least one entry"),
        ({"status": {}}, ("status",), "the condition is empty"),
        ({"score": {"gte": None}}, ("score", "gte"), "gte needs a number, a date or a priority, not null"),
        ({"score": {"gte": "many"}}, ("score", "gte"), "not many"),
        ({"score": {"lt": True}}, ("score", "lt"), "not true"),
        ({"score": {"gte": [1]}}, ("score", "gte"), "not 1"),
        ({"score": {"exist": True}}, ("score", "exist"), "did you mean exists?"),
        ({"score": {">=": 3}}, ("score", ">="), ">= is no comparison; one of gt, gte, lt, lte, exists, not, all, any is"),
        ({"score": {"exists": "yes"}}, ("score", "exists"), "exists is true or false"),
        ({"gte": 3}, ("gte",), "belongs under the name of a fact"),
        ({"tags": {"all": []}}, ("tags", "all"), "at least one entry"),
        ({"status": b"pending"}, ("status",), "cannot be compared"),
        ({"status": ["open", b"pending"]}, ("status", 1), "cannot be compared"),
        ({7: "x"}, ("7",), "no name of a fact"),
    ],
    ids=str,
)
def test_what_cannot_be_understood_is_refused_with_its_place(data: object, path: tuple[str | int, ...], sentence: str) -> None:
    with pytest.raises(InvalidCondition) as refused:
        parse_condition(data, path=("policies", 2, "match"))

    assert refused.value.path == ("policies", 2, "match", *path)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("", "a condition is a map of facts, as in `tier: gold`, not ''"),
        (None, "a condition is a map of facts, as in `tier: gold`, not null"),
        ({}, "the condition is empty; leave it out where everything is meant"),
        ({"any": []}, "this has to be a list with at least one entry"),
        ({7: "x"}, "7 is no name of a fact; write it in quotes"),
        ({"score": {"gte": ""}}, "gte needs a number, a date or a priority, not ''"),
        ({"score": {"exists": "yes"}}, "exists is true or false, not yes"),
        ({"score": {"none": 3}}, "none is no comparison; did you mean not?"),
        ({"status": b"pending"}, "status cannot be compared with b'pending'"),
    ],
    ids=str,
)
def test_a_refusal_is_a_whole_sentence(data: object, sentence: str) -> None:
    with pytest.raises(InvalidCondition) as refused:
        parse_condition(data)

    assert sentence == str(refused.value)


def test_a_bottomless_condition_is_refused() -> None:
    data: dict[str, object] = {"status": "open"}
    for _ in range(500):
        data = {"not": data}

    with pytest.raises(InvalidCondition, match=r"^the condition is nested too deep$") as refused:
        parse_condition(data)

    assert refused.value.path == ("not",) * 41


@pytest.mark.parametrize("of_a_fact", [False, True])
def test_a_bottomless_list_is_refused(of_a_fact: bool) -> None:
    data: object = "vip" if of_a_fact else {"tags": "vip"}
    for _ in range(500):
        data = {"any": [data]}

    with pytest.raises(InvalidCondition, match=r"^the condition is nested too deep$") as refused:
        parse_condition({"tags": data} if of_a_fact else data)

    assert len(refused.value.path) == 41


def test_the_facts_a_condition_looks_at_are_known() -> None:
    condition = parse_condition(
        {"tier": "gold", "not": {"tags": ["a", "b*"]}, "any": [{"score": {"gt": 1, "lt": 3}}, {"all": [{"group": None}]}]}
    )

    assert facts_named(condition) == {"tier", "tags", "score", "group"}


def test_a_condition_is_a_value() -> None:
    data = {"tier": "gold", "not": {"tags": ["a", "b*"]}, "score": {"gte": 3}}
    condition = parse_condition(data)

    assert condition == parse_condition(data)
    assert hash(condition) == hash(parse_condition(data))
    assert condition == All(
        (
            FactTest("tier", "eq", "gold"),
            Not(Any_((FactTest("tags", "eq", "a"), FactTest("tags", "glob", "b*")))),
            FactTest("score", "ge", 3),
        )
    )


facts = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.datetimes()
    | st.lists(st.text(max_size=3)).map(tuple)
)
scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text("ab*?[]", max_size=3) | st.dates()
values = (
    scalars | st.lists(scalars, min_size=1) | st.fixed_dictionaries({"not": scalars}) | st.fixed_dictionaries({"exists": st.booleans()})
)
names = st.sampled_from("abc")
conditions = st.recursive(
    st.dictionaries(names, values, min_size=1),
    lambda inner: st.fixed_dictionaries({"any": st.lists(inner, min_size=1)}) | st.fixed_dictionaries({"not": inner}),
    max_leaves=5,
)


@given(conditions, st.dictionaries(names, facts))
def test_no_fact_makes_a_condition_fall_over(data: dict[str, object], known: dict[str, FactValue]) -> None:
    condition = parse_condition(data)

    assert (failing_term(condition, known) is None) is holds(condition, known)
    assert holds(Not(condition), known) is not holds(condition, known)
