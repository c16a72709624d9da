"""Which URLs may be fetched for a stranger: https to public addresses, and nothing else."""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from shared.contracts.outcomes import BadMedia

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL = 2048
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_TEREDO = ipaddress.ip_network("2001::/32")
_INSIDE = re.compile(r"(^|\.)(localhost|local|internal|intranet|lan|home\.arpa|cluster\.local|svc)\.?$")
_SAFE = "/%:=&?~+!$,;'@()*[]-._"


@dataclass(frozen=True)
class Target:
    """Where to connect and what to ask for; all ASCII."""

    host: str
    port: int
    path: str


def is_public(address: Address) -> bool:
    """Whether the address is on the public internet, also seen through IPv6's ways to say IPv4."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.sixtofour is not None:
            return is_public(address.sixtofour) and address.is_global
        if address not in _GLOBAL_UNICAST or address in _TEREDO:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


@dataclass(frozen=True)
class UrlPolicy:
    """Tests pass their own `allowed` to reach a server on this machine; no setting can."""

    allowed: Callable[[Address], bool] = is_public
    ports: frozenset[int] | None = frozenset({443})

    def check(self, url: str) -> Target:
        """What can be said without a resolver. Raises `BadMedia("url_forbidden")`."""
        try:
            parts = urlsplit(url)
            port = 443 if parts.port is None else parts.port
            host = (parts.hostname or "").encode("idna").decode()
        except (ValueError, UnicodeError) as error:
            raise _forbidden("it is malformed") from error
        if len(url) > MAX_URL or re.search(r"[\x00-\x20\x7f\\]", url):
            raise _forbidden("it is too long or has characters that a URL cannot have")
        if parts.scheme != "https":
            raise _forbidden("it is not https")
        if "@" in parts.netloc:
            raise _forbidden("it carries credentials")
        if not host or "%" in host:
            raise _forbidden("it names no host")
        if self.ports is not None and port not in self.ports:
            raise _forbidden(f"port {port} is not allowed")
        literal = _literal(host)
        if literal is not None:
            self.check_addresses([literal])
        elif self.allowed is is_public and (_INSIDE.search(host) or "." not in host.rstrip(".")):
            raise _forbidden("its host is not a public name")
        path = quote(parts.path or "/", safe=_SAFE)
        return Target(host, port, f"{path}?{quote(parts.query, safe=_SAFE)}" if parts.query else path)

    def check_addresses(self, addresses: Iterable[Address]) -> None:
        """All of them must be allowed: a name with one private address is an attack or a mistake."""
        if not all(self.allowed(address) for address in addresses):
            raise _forbidden("its host is not on the public internet")


def _literal(host: str) -> Address | None:
    """The address that `host` spells, also in the forms that only C libraries know (0x7f.1)."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        if not re.fullmatch(r"[0-9a-fx.]+", host, re.IGNORECASE):
            return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _forbidden(why: str) -> BadMedia:
    return BadMedia("url_forbidden", why)
