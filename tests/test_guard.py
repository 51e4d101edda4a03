"""The address guard: the case file, the registries' edges, and that nothing but Blocked ever comes out."""

import json
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.guard import Blocked, GuardPolicy, Target, check_header, check_url, judge_address, judge_answers, judge_url

CASES = Path(__file__).parents[2] / "shared" / "cases" / "ssrf_cases.json"

STRICT = GuardPolicy()
DEMO = GuardPolicy.of(["127.0.0.0/8", "::1/128"])
OFFICE = GuardPolicy.of(["10.0.0.0/8", "fd00::/8"])

FORBIDDEN = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24"),
    *("192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    *("168.63.129.16/32", "::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),
)


def cases(part: str) -> list[Any]:
    if not CASES.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"the cases are not here: {CASES}"))]
    found = json.loads(CASES.read_text())[part]
    return [pytest.param(case, id=case.get("id", case.get("name"))) for case in found]


def verdict(url: str, policy: GuardPolicy = STRICT) -> Target | Blocked:
    try:
        return judge_url(url, policy)
    except Blocked as error:
        return error


def rule(url: str, policy: GuardPolicy = STRICT) -> str | None:
    judged = verdict(url, policy)
    return judged.rule if isinstance(judged, Blocked) else None


@pytest.mark.parametrize("case", cases("custom_header_cases"))
def test_custom_headers_are_judged_as_the_cases_say(case: dict[str, Any]) -> None:
    try:
        check_header(case["name"], case["value"])
        rejected = False
    except Blocked as error:
        rejected = error.rule == "header"

    assert rejected == case["must_reject"]


@pytest.mark.parametrize(
    ("name", "value", "fine"),
    [
        ("Authorization", "Bearer x", True),
        ("X-Tab", "a\tb", True),
        ("X-Umlaut", "ü" * 2048, True),
        ("X-Umlaut", "ü" * 2049, False),
        ("X-Broken", "\ud800", False),
        ("X-Nul", "a\0", False),
        ("X-Delete", "\x7f", False),
        ("HOST", "x", False),
        ("User-Agent", "x", False),
        ("X-Hub-Signature-256", "x", False),
        ("", "x", False),
        ("X A", "x", False),
        ("X:A", "x", False),
        ("Ünder", "x", False),
    ],
)
def test_a_custom_header_neither_replaces_ours_nor_breaks_the_request(name: str, value: str, fine: bool) -> None:
    if fine:
        check_header(name, value)
    else:
        with pytest.raises(Blocked):
            check_header(name, value)


@pytest.mark.parametrize("network", FORBIDDEN)
def test_both_ends_of_every_forbidden_network_are_refused(network: str) -> None:
    whole = ip_network(network)
    for address in (whole.network_address, whole.broadcast_address):
        with pytest.raises(Blocked) as refused:
            judge_address(address, STRICT)

        assert (refused.value.rule, refused.value.switch) == ("address_forbidden", "delivery.allow_networks")
        assert str(address) in refused.value.detail
        assert refused.value.address == address


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "100.63.255.255", "172.32.0.0", "192.0.1.0", "2001:200::", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses_pass(address: str) -> None:
    judge_address(ip_address(address), STRICT)


@given(st.sampled_from(FORBIDDEN), st.integers(min_value=0))
def test_any_literal_in_a_forbidden_network_is_refused(network: str, number: int) -> None:
    whole = ip_network(network)
    address = whole[number % min(whole.num_addresses, 2**100)]
    host = f"[{address}]" if address.version == 6 else str(address)
    judged = verdict(f"https://{host}/hook")
    if isinstance(judged, Target):  # ::ffff:a.b.c.d and 64:ff9b::/96 stand for an IPv4 address, which may be public
        judge_address(IPv4Address(int(address) & 0xFFFFFFFF), STRICT)

        assert address.version == 6
        assert judged.address == address
    else:
        assert judged.by_address


@given(st.ip_addresses(v=4))
def test_an_ipv6_address_that_carries_an_ipv4_one_is_judged_by_it(address: IPv4Address) -> None:
    def fine(judged: IPv4Address | IPv6Address) -> bool:
        try:
            judge_address(judged, STRICT)
        except Blocked:
            return False
        return True

    for prefix in ("::ffff:0:0", "64:ff9b::"):
        assert fine(IPv6Address(int(IPv6Address(prefix)) + int(address))) == fine(address)


@given(st.text(max_size=60) | st.from_regex(r"https?://[^/]{0,40}(/.{0,20})?", fullmatch=True))
@example("https://[::1")
@example("https://\ud800.example/")
@example("https://a..b/")
@example("https://xn--.example/")
@example("https://example.com:١٢/")
@example("https://[v1.x]/")
@example("//example.com")
@example("")
def test_no_text_makes_the_guard_raise_anything_but_blocked(url: str) -> None:
    for policy in (STRICT, DEMO):
        judged = verdict(url, policy)
        dialled = judged.origin + judged.path_and_query if isinstance(judged, Target) else ""

        assert dialled.isascii()
        assert " " not in dialled


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.com", Target("https", "example.com", 443, None, "/")),
        ("HTTPS://Example.COM.:8443/a%20b?c=d#e", Target("https", "example.com", 8443, None, "/a%20b?c=d")),
        ("https://example.com:/?q", Target("https", "example.com", 443, None, "/?q")),
        ("https://bücher.example/ü", Target("https", "xn--bcher-kva.example", 443, None, "/%C3%BC")),
        ("https://BÜCHER.example/", Target("https", "xn--bcher-kva.example", 443, None, "/")),
        ("https://my_host.example.com/a//b/../c", Target("https", "my_host.example.com", 443, None, "/a//b/../c")),
        ("https://93.184.216.34:8443/", Target("https", "93.184.216.34", 8443, ip_address("93.184.216.34"), "/")),
        ("https://[2606:4700::1111]/", Target("https", "2606:4700::1111", 443, ip_address("2606:4700::1111"), "/")),
    ],
)
def test_a_fine_url_has_one_spelling(url: str, target: Target) -> None:
    assert judge_url(url, STRICT) == target


def test_an_origin_names_the_port_and_brackets_ipv6() -> None:
    assert judge_url("https://example.com/x", STRICT).origin == "https://example.com:443"
    assert judge_url("https://[2606:4700::1111]:8443/", STRICT).origin == "https://[2606:4700::1111]:8443"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com/" + "a" * 2048, "too_long"),
        ("https://example.com/a b", "control_character"),
        ("https://example.com/a\n", "control_character"),
        ("\thttps://example.com/", "control_character"),
        ("https://example.com/\u200b", "control_character"),
        ("https://example.com\\a", "backslash"),
        ("example.com", "scheme"),
        ("https:example.com", "host_syntax"),
        ("https://@example.com/", "userinfo"),
        ("https://exam%70le.com/", "host_syntax"),
        ("https://-a.example.com/", "host_syntax"),
        ("https://\u212aelvin.example/", "host_syntax"),
        ("https://example。com/", "host_syntax"),
        ("https://1.2.3.4.5/", "ipv4_notation"),
        ("https://example.1/", "ipv4_notation"),
        ("https://example.0x1f/", "ipv4_notation"),
        ("https://8.8.8.8./", "ipv4_notation"),
        ("https://[1.2.3.4]/", "host_syntax"),
        ("https://[::1]x/", "host_syntax"),
        ("https://[fe80::1%eth0]/", "zone_id"),
        ("https://example.com:0/", "port"),
        ("https://example.com:65536/", "port"),
        ("https://example.com:25/", "port"),
        ("https://example.com:+443/", "port"),
        ("https://intranet/", "internal_name"),
        ("https://a.b.INTERNAL/", "internal_name"),
        ("https://metadata.goog/", "internal_name"),
        ("http://example.com/", "plain_http"),
        ("http://93.184.216.34/", "plain_http"),
        ("http://127.0.0.1/", "address_forbidden"),
    ],
)
def test_each_refusal_has_its_rule(url: str, expected: str) -> None:
    assert rule(url) == expected


def test_nothing_permits_an_odd_spelling() -> None:
    permissive = GuardPolicy.of(["0.0.0.0/0", "::1/128", "fc00::/7"], allow_http=True)

    for url in ("http://127.1/", "http://0x7f.0.0.1/", "http://u:p@127.0.0.1/", "http://[fe80::1%25lo]/", "https://[2002:7f00:1::]/"):
        assert rule(url, permissive) is not None
        with pytest.raises(Blocked):
            check_url(url)


def test_an_allowed_network_permits_its_addresses_also_by_plain_http() -> None:
    assert rule("http://127.0.0.1:9000/hook", DEMO) is None
    assert rule("https://[::1]:9000/hook", DEMO) is None
    assert rule("http://[::ffff:127.0.0.1]:9000/hook", DEMO) is None
    assert rule("http://10.1.2.3/", OFFICE) is None


def test_an_allowed_network_permits_nothing_else() -> None:
    assert rule("http://10.0.0.1/", DEMO) == "address_forbidden"
    assert rule("http://93.184.216.34/", DEMO) == "plain_http"
    assert rule("https://[64:ff9b::a00:1]/", DEMO) == "address_forbidden"


@pytest.mark.parametrize("url", ["http://mattermost.example.com/", "https://mattermost/", "http://localhost:9000/"])
def test_plain_http_and_internal_names_wait_for_answers_in_an_allowed_network(url: str) -> None:
    target = judge_url(url, OFFICE)

    assert target.confined
    assert judge_answers(target.host, ["10.0.0.5", "fd00::5"], OFFICE, confined=True) == (ip_address("10.0.0.5"), ip_address("fd00::5"))
    for answers in (["93.184.216.34"], ["10.0.0.5", "93.184.216.34"], ["192.168.0.1"]):
        with pytest.raises(Blocked, match="address_forbidden"):
            judge_answers(target.host, answers, OFFICE, confined=True)


def test_plain_http_goes_anywhere_public_when_the_operator_says_so() -> None:
    policy = GuardPolicy(allow_http=True)

    assert not judge_url("http://example.com/", policy).confined
    assert rule("http://10.0.0.1/", policy) == "address_forbidden"


@pytest.mark.parametrize(
    "answers", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["10.0.0.1", "93.184.216.34"], ["fe80::1%2"], ["nonsense"]]
)
def test_one_bad_answer_refuses_the_name(answers: list[str]) -> None:
    with pytest.raises(Blocked) as refused:
        judge_answers("example.com", answers, STRICT)

    assert refused.value.rule == "address_forbidden"


def test_no_answer_is_no_address() -> None:
    with pytest.raises(Blocked, match="no_address"):
        judge_answers("example.com", [], STRICT)


@pytest.mark.parametrize(
    "network", ["64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0/96", "2002::/16", "2001::/32", "::/0", "::/96", "2002:a00::/24"]
)
def test_an_allow_list_cannot_name_addresses_that_stand_for_others(network: str) -> None:
    with pytest.raises(Blocked, match="name the IPv4 network instead"):
        GuardPolicy.of([network])


@pytest.mark.parametrize("network", ["10.0.0.1/8", "10.0.0", "", "office"])
def test_a_network_that_cannot_be_read_is_a_plain_error(network: str) -> None:
    with pytest.raises(ValueError) as refused:
        GuardPolicy.of([network])

    assert not isinstance(refused.value, Blocked)


@pytest.mark.parametrize(
    ("own", "url", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/v1/events", "own_address"),
        ("127.0.0.1", "http://[::ffff:127.0.0.1]:8000/", "own_address"),
        ("127.0.0.1", "http://127.0.0.1:9000/", None),
        ("127.0.0.1", "http://127.0.0.2:8000/", None),
        ("0.0.0.0", "http://127.0.0.2:8000/", "own_address"),
        ("::", "http://[::1]:8000/", "own_address"),
    ],
)
def test_we_never_post_to_ourselves_even_where_the_network_is_allowed(own: str, url: str, expected: str | None) -> None:
    policy = GuardPolicy.of(["127.0.0.0/8", "::1/128"], own_addresses=[(own, 8000)])

    assert rule(url, policy) == expected


def test_our_own_address_is_found_behind_a_name_too() -> None:
    policy = GuardPolicy.of(["127.0.0.0/8"], own_addresses=[("127.0.0.1", 8000)])

    with pytest.raises(Blocked, match="own_address"):
        judge_answers("hooks.example.com", ["127.0.0.1"], policy, port=8000)


def test_an_own_address_is_an_address() -> None:
    with pytest.raises(ValueError):
        GuardPolicy(own_addresses=frozenset({("localhost", 8000)}))


@given(st.text(min_size=12, max_size=30, alphabet="abcdefghijklmnopqrstuvwxyz"))
def test_a_refusal_never_tells_the_path_or_query(secret: str) -> None:
    for start in ("ftp://example.com", "https://user@example.com", "http://10.0.0.1", "https://exa mple.com", "https://example.com:1"):
        with pytest.raises(Blocked) as refused:
            judge_url(f"{start}/{secret}?token={secret}", STRICT)

        assert secret not in str(refused.value)
