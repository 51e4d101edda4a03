"""The address guard: which URLs and addresses we may send to. Pure: it judges what it is given and looks nothing up.

Webhook URLs are written by people we do not know, and we sit inside somebody's network. So only public addresses are allowed,
judged by the registries of special-purpose addresses (IANA, RFC 6890 and updates), and only URLs that every parser reads
alike. An operator lifts the address rules for networks of their own with `delivery.allow_networks`; nothing lifts the rules
of spelling.

A name is judged by all its answers at every dial: `judge_url` when the URL is known, `judge_answers` when it was looked up,
`judge_address` at the socket.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import quote

import idna

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

URL_MAX: Final = 2048  # characters
HEADER_VALUE_MAX: Final = 4096  # bytes
SWITCH: Final = "delivery.allow_networks"
HTTP_SWITCH: Final = "allow_http"

_FORBIDDEN_V4: Final = {
    IPv4Network("0.0.0.0/8"): "this host",
    IPv4Network("10.0.0.0/8"): "private",
    IPv4Network("100.64.0.0/10"): "shared by carriers",
    IPv4Network("127.0.0.0/8"): "loopback",
    IPv4Network("168.63.129.16/32"): "the platform's own address on Azure",
    IPv4Network("169.254.0.0/16"): "link-local, where clouds keep their metadata",
    IPv4Network("172.16.0.0/12"): "private",
    IPv4Network("192.0.0.0/24"): "reserved for protocols",
    IPv4Network("192.0.2.0/24"): "for documentation",
    IPv4Network("192.31.196.0/24"): "AS112 service",
    IPv4Network("192.52.193.0/24"): "multicast tunnels",
    IPv4Network("192.88.99.0/24"): "6to4 relays",
    IPv4Network("192.168.0.0/16"): "private",
    IPv4Network("192.175.48.0/24"): "AS112 service",
    IPv4Network("198.18.0.0/15"): "for benchmarks",
    IPv4Network("198.51.100.0/24"): "for documentation",
    IPv4Network("203.0.113.0/24"): "for documentation",
    IPv4Network("224.0.0.0/4"): "multicast",
    IPv4Network("240.0.0.0/4"): "reserved",
}
_PUBLIC_V6: Final = IPv6Network("2000::/3")
_FORBIDDEN_V6: Final = {
    IPv6Network("2001::/23"): "reserved for protocols",
    IPv6Network("2001:db8::/32"): "for documentation",
    IPv6Network("2002::/16"): "6to4",
    IPv6Network("2620:4f:8000::/48"): "AS112 service",
    IPv6Network("3fff::/20"): "for documentation",
}
_MAPPED: Final = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))  # the last 32 bits are the IPv4 address meant
_TRANSLATED: Final = (
    *_MAPPED,
    IPv6Network("::/96"),  # IPv4-compatible; ::1 alone is something else
    IPv6Network("::ffff:0:0:0/96"),  # SIIT
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("2001::/32"),  # Teredo
    IPv6Network("2002::/16"),
)
_LOOPBACK_V6: Final = IPv6Network("::1/128")

_INTERNAL_SUFFIXES: Final = ("localhost", "internal", "local", "localdomain", "arpa", "metadata.goog", "metadata.tencentyun.com")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_PARTS: Final = re.compile(r"//([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.DOTALL)
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_OCTET: Final = r"(?:0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"
_DOTTED_QUAD: Final = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_OUR_HEADERS: Final = frozenset(
    {"host", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect", "user-agent", "x-hub-signature-256"}
)
_OUR_HEADER_PREFIXES: Final = ("content-", "proxy-", "webhook-")


class Blocked(ValueError):
    """We do not send there. `rule` is a stable short name, `detail` a sentence that never holds a path, query or credential."""

    def __init__(self, rule: str, detail: str, address: Address | None = None, switch: str | None = None) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail
        self.address = address
        self.switch = switch
        """The setting with which an operator can permit it; None when nothing permits it."""

    @property
    def by_address(self) -> bool:
        """Whether the address was the reason; else it was the URL."""
        return self.rule in ("address_forbidden", "own_address")


@dataclass(frozen=True, slots=True)
class GuardPolicy:
    """What the operator permits beyond public https.

    `own_addresses` are the (address, port) pairs this service listens on: they are refused even inside `allow_networks`, so that
    we never post to ourselves. A wildcard (`0.0.0.0`, `::`) means every loopback address at that port.
    Raises Blocked("allow_networks") for a network that overlaps a range in which IPv6 addresses stand for IPv4 ones, and
    ValueError for an own address that is a name.
    """

    allow_networks: tuple[Network, ...] = ()
    allow_http: bool = False
    own_addresses: frozenset[tuple[str, int]] = frozenset()

    def __post_init__(self) -> None:
        for network in self.allow_networks:
            _check_allowed_network(network)
        for text, _ in self.own_addresses:
            ip_address(text)

    @classmethod
    def of(cls, allow_networks: Iterable[str], *, allow_http: bool = False, own_addresses: Iterable[tuple[str, int]] = ()) -> "GuardPolicy":
        """From networks as written, such as `10.0.0.0/8`. Raises ValueError for one that cannot be read or has host bits set."""
        return cls(tuple(ip_network(text) for text in allow_networks), allow_http, frozenset(own_addresses))

    def allows(self, address: Address) -> bool:
        """Whether the address lies in a network that the operator has named."""
        return any(address in network for network in self.allow_networks)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads, spelled the one way we dial it."""

    scheme: str
    """`https` or `http`."""
    host: str
    """ASCII, lower case, no trailing dot; an IPv6 address without its brackets."""
    port: int
    address: Address | None
    """The address when the host is one, else None: look the name up."""
    path_and_query: str
    """ASCII, begins with `/`; the fragment is gone."""
    confined: bool = False
    """Every answer must lie in an allowed network: the name is an internal one, or the scheme is http without `allow_http`."""

    @property
    def origin(self) -> str:
        """`https://host:port`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def judge_url(url: str, policy: GuardPolicy) -> Target:
    """The target of a URL we may send to, as far as the URL alone shows it; a name's answers are judged by `judge_answers`.

    Raises Blocked, never anything else. An internal name (`localhost`, a single label, `.internal`, ...) and plain http pass
    only when networks are allow-listed, and the target is then confined to them.
    """
    target = check_url(url)
    plain = target.scheme == "http" and not policy.allow_http
    confined = plain or (target.address is None and _is_internal(target.host))
    target = Target(target.scheme, target.host, target.port, target.address, target.path_and_query, confined)
    if target.address is not None:
        judge_address(target.address, policy, port=target.port)
    if confined:
        _check_confined(target, policy, plain=plain)
    return target


def check_url(url: str) -> Target:
    """The target, by the rules of spelling alone: what this refuses, no allow-list permits. Raises Blocked."""
    if len(url) > URL_MAX:
        raise Blocked("too_long", f"The URL is longer than {URL_MAX} characters.")
    _check_characters(url)
    scheme = _SCHEME.match(url)
    if scheme is None or scheme[1].lower() not in ("http", "https"):
        raise Blocked("scheme", "The URL must begin with https:// (or http:// where that is permitted).")
    parts = _PARTS.fullmatch(url, scheme.end())
    if parts is None:
        raise Blocked("host_syntax", "The URL has no host.")
    authority, path, query = parts[1], parts[2], parts[3] or ""
    if "@" in authority:
        raise Blocked("userinfo", "The URL must not hold a user or password: send credentials in a header.")
    name, port = _split_port(authority, 443 if scheme[1].lower() == "https" else 80)
    host, address = _read_host(name)
    target = Target(scheme[1].lower(), host, port, address, _ascii_path(path or "/", query))
    _check_translation(address)
    return target


def judge_address(address: Address, policy: GuardPolicy, *, port: int | None = None) -> None:
    """Returns when we may dial the address; raises Blocked("address_forbidden") or Blocked("own_address").

    An IPv4-mapped address and one of the well-known NAT64 prefix are judged by the IPv4 address they stand for.
    """
    meant = _meant(address)
    if port is not None and _is_own(meant, port, policy):
        raise Blocked("own_address", f"{address} port {port} is where this service itself listens.", address)
    if policy.allows(meant):
        return
    what = _forbidden(meant)
    if what is not None:
        detail = f"{address} is {what}: only public addresses are dialled, unless {SWITCH} names the network."
        raise Blocked("address_forbidden", detail, address, SWITCH)


def judge_answers(
    host: str, answers: Sequence[str], policy: GuardPolicy, *, port: int | None = None, confined: bool = False
) -> tuple[Address, ...]:
    """The addresses of a name, in the resolver's order, all fit to be dialled; one bad answer refuses the name (Blocked).

    `confined` (see `Target`): each must lie in an allowed network. Raises Blocked("no_address") for no answers at all.
    """
    addresses = tuple(_read_answer(host, answer) for answer in answers)
    if not addresses:
        raise Blocked("no_address", f"{host} has no address.")
    for address in addresses:
        judge_address(address, policy, port=port)
        if confined and not policy.allows(_meant(address)):
            detail = f"{host} is {address}, outside {SWITCH}: internal names and plain http are for networks named there."
            raise Blocked("address_forbidden", detail, address, SWITCH)
    return addresses


def check_header(name: str, value: str) -> None:
    """Returns when a channel may add this header of its own to our request; raises Blocked("header")."""
    lower = name.lower()
    if not _HEADER_NAME.fullmatch(lower):
        raise Blocked("header", "A header's name consists of letters, digits and hyphens.")
    if lower in _OUR_HEADERS or lower.startswith(_OUR_HEADER_PREFIXES):
        raise Blocked("header", f"The header {lower} is set by us and cannot be chosen.")
    if any((char < " " and char != "\t") or char == "\x7f" for char in value):
        raise Blocked("header", f"The value of {lower} holds a control character.")
    if len(value.encode("utf-8", "surrogatepass")) > HEADER_VALUE_MAX or _has_surrogate(value):
        raise Blocked("header", f"The value of {lower} is longer than {HEADER_VALUE_MAX} bytes or not Unicode text.")


def _check_allowed_network(network: Network) -> None:
    if isinstance(network, IPv4Network) or network == _LOOPBACK_V6:
        return
    for prefix in _TRANSLATED:
        if network.overlaps(prefix):
            detail = f"{network} in {SWITCH} overlaps {prefix}, where addresses stand for IPv4 ones: name the IPv4 network instead."
            raise Blocked("allow_networks", detail)


def _check_characters(url: str) -> None:
    if "\\" in url:
        raise Blocked("backslash", "The URL holds a backslash, which parsers read differently.")
    for char in url:
        if char <= " " or char == "\x7f" or (char > "\x7f" and unicodedata.category(char)[0] in "CZ"):
            raise Blocked("control_character", f"The URL holds a blank or invisible character (U+{ord(char):04X}).")


def _split_port(authority: str, default: int) -> tuple[str, int]:
    """Host (an IPv6 address keeps its brackets) and port. The port policy is GitLab's: 80, 443 and from 1024."""
    bracket = authority.rfind("]") + 1
    name, _, digits = authority[bracket:].partition(":")
    name = authority[:bracket] + name
    if not digits:
        return name, default
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5):
        rule = "host_syntax" if ":" in digits else "port"
        raise Blocked(rule, "The port is not a number, or an IPv6 address lacks its brackets.")
    port = int(digits)
    if port not in (80, 443) and not 1024 <= port <= 65535:
        raise Blocked("port", f"Port {port} is not 80, 443 or from 1024 to 65535.")
    return name, port


def _read_host(name: str) -> tuple[str, Address | None]:
    if name.startswith("["):
        address = _read_ipv6(name)
        return str(address), address
    host = _ascii_host(name)
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        if not _DOTTED_QUAD.fullmatch(host) or name.endswith("."):
            raise Blocked("ipv4_notation", "The host ends in a number and is no plain dotted address such as 192.0.2.1.")
        return host, IPv4Address(host)
    return host, None


def _read_ipv6(name: str) -> IPv6Address:
    inner = name[1:-1]
    if "%" in inner:
        raise Blocked("zone_id", "The address names a network interface.")
    try:
        if not name.endswith("]"):
            raise ValueError(name)
        return IPv6Address(inner)
    except ValueError:
        raise Blocked("host_syntax", "The host in brackets is no IPv6 address.") from None


def _ascii_host(name: str) -> str:
    """Lower case and ASCII (IDNA 2008, no mapping: what would have to be mapped is refused), one trailing dot removed."""
    labels = [_ascii_label(label) for label in name.removesuffix(".").split(".")]
    host = ".".join(labels)
    if len(host) > 253:
        raise Blocked("host_syntax", "The host's name is longer than 253 characters.")
    return host


def _ascii_label(label: str) -> str:
    # Letter by letter, because some letters outside ASCII have a lower case inside it (U+212A, the Kelvin sign).
    lower = "".join(low if (low := char.lower()).isascii() == char.isascii() else char for char in label)
    if not lower.isascii():
        try:
            lower = idna.alabel(lower).decode("ascii")
        except idna.IDNAError:
            raise Blocked("host_syntax", "The host's name is not valid under IDNA 2008.") from None
    if not _LABEL.fullmatch(lower):
        raise Blocked("host_syntax", "The host's name is empty, too long, or holds a character that names do not have.")
    return lower


def _ascii_path(path: str, query: str) -> str:
    return "".join(char if char.isascii() else quote(char) for char in path + query)


def _is_internal(host: str) -> bool:
    return "." not in host or any(host == suffix or host.endswith("." + suffix) for suffix in _INTERNAL_SUFFIXES)


def _check_confined(target: Target, policy: GuardPolicy, *, plain: bool) -> None:
    """With an allow-list, names wait for their answers and addresses must be in it; without one, there is nothing to wait for."""
    if target.address is None and policy.allow_networks:
        return
    if target.address is not None and policy.allows(_meant(target.address)):
        return
    if plain:
        detail = f"Plain http is refused: use https, set {HTTP_SWITCH}, or name the network in {SWITCH}."
        raise Blocked("plain_http", detail, target.address, HTTP_SWITCH)
    raise Blocked("internal_name", f"{target.host} is a name for internal use: name its network in {SWITCH} to permit it.", None, SWITCH)


def _check_translation(address: Address | None) -> None:
    """An address that stands for an IPv4 one in a way we do not follow: no allow-list may name it."""
    if not isinstance(address, IPv6Address) or address in _LOOPBACK_V6:
        return
    if any(address in prefix for prefix in _TRANSLATED if prefix not in _MAPPED):
        raise Blocked("address_forbidden", f"{address} stands for an IPv4 address: write that instead.", address)


def _meant(address: Address) -> Address:
    if isinstance(address, IPv6Address) and any(address in prefix for prefix in _MAPPED):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _forbidden(address: Address) -> str | None:
    """What kind of address it is when it is not public, else None."""
    if isinstance(address, IPv6Address):
        if address not in _PUBLIC_V6:
            return "not a public IPv6 address (2000::/3)"
        return next((f"{what} ({network})" for network, what in _FORBIDDEN_V6.items() if address in network), None)
    return next((f"{what} ({network})" for network, what in _FORBIDDEN_V4.items() if address in network), None)


def _is_own(address: Address, port: int, policy: GuardPolicy) -> bool:
    for text, own_port in policy.own_addresses:
        own = ip_address(text)
        if port == own_port and (address == own or (own.is_unspecified and (address.is_loopback or address.is_unspecified))):
            return True
    return False


def _read_answer(host: str, answer: str) -> Address:
    try:
        return ip_address(answer)
    except ValueError:
        raise Blocked("address_forbidden", f"An answer for {host} is no address.") from None


def _has_surrogate(text: str) -> bool:
    return any(unicodedata.category(char) == "Cs" for char in text)
