"""A URL -> the text of its page, fetched only from public addresses and within bounds of time and size."""

import codecs
import http.client
import ipaddress
import os
import re
import socket
import ssl
import threading
import time
from urllib.parse import quote, urljoin, urlsplit

MAX_BYTES = 2_000_000
MAX_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
MAX_URL = 2048
PORTS = {"http": 80, "https": 443}
TEXT = re.compile(r"text/|application/(json|javascript|xml|[\w.-]+\+(json|xml))$")
META_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset=["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
NOT_FOR_PAGES = {"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "utf-7"}
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Refused(Exception):
    """A page that is not fetched or cannot be had, with the HTTP status that says so."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def fetch(url, *, timeout_s):
    """Return the text of a page.

    Raises:
        Refused: 400 the URL is not one to fetch; 502 the page cannot be had; 504 it took longer than `timeout_s`.
    """
    fetching = Fetching(time.monotonic() + timeout_s)
    thread = threading.Thread(target=fetching.run, args=(url,), daemon=True)  # a name's lookup has no timeout of its own
    thread.start()
    thread.join(timeout_s)
    if thread.is_alive() or isinstance(fetching.error, TimeoutError):
        fetching.abandon()
        raise Refused(504, f"The page took longer than {timeout_s} seconds")
    if fetching.error:
        raise fetching.error
    return fetching.text


class Fetching:
    """One page being fetched, redirects followed, all before a deadline."""

    def __init__(self, deadline):
        self.deadline = deadline
        self.socket = None
        self.error = None
        self.text = None

    def run(self, url):
        try:
            self.text = self.follow(url)
        except (Refused, TimeoutError) as error:
            self.error = error
        except ssl.SSLError as error:
            self.error = Refused(502, f"The page's host offers no connection to trust ({error.reason or 'TLS failed'})")
        except (OSError, http.client.HTTPException, ValueError):
            self.error = Refused(502, "The page's host does not answer as a web server")
        except Exception as error:  # to be raised where it is looked at
            self.error = error

    def abandon(self):
        """Wake the thread when it waits for bytes, so that it ends."""
        if self.socket is not None:
            try:
                self.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def left(self):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def follow(self, url):
        for hop in range(MAX_REDIRECTS + 1):
            try:
                target, headers, body = self.get(*parse(url))
            except Refused as refused:
                if hop and refused.status == 400:
                    raise Refused(502, f"The page redirects to a URL that is refused: {refused}") from None
                raise
            if target is None:
                return decode(headers, body)
            url = urljoin(url, target)
        raise Refused(502, f"The page redirects more than {MAX_REDIRECTS} times")

    def get(self, scheme, host, port, path):
        """Ask for one URL: where it redirects to, or its headers and body."""
        connection = http.client.HTTPConnection(host, port)
        connection.sock = self.connect(scheme, host, port)
        if scheme == "https":
            connection.default_port = PORTS["https"]
        try:
            headers = {"Accept": "text/html, text/*, */*;q=0.5", "Accept-Encoding": "identity", "Connection": "close"}
            connection.request("GET", path, headers=headers | {"User-Agent": "keyword/1"})
            with connection.getresponse() as response:
                location = response.headers.get("Location")
                if response.status in REDIRECTS and location:
                    return location, None, None
                if response.status != 200:
                    raise Refused(502, f"The page answers with status {response.status}")
                check_headers(response.headers)
                return None, response.headers, self.read(response)
        finally:
            connection.close()
            self.socket.close()

    def connect(self, scheme, host, port):
        """Connect to an address of the host, once every one of them has been checked."""
        addresses = resolve(host, port)
        error = None
        for family, address in addresses:
            self.socket = socket.socket(family, socket.SOCK_STREAM)
            try:
                self.socket.settimeout(self.left())
                self.socket.connect(address)
            except TimeoutError:
                self.socket.close()
                raise
            except OSError as refused:
                self.socket.close()
                error = refused
                continue
            if scheme == "https":
                self.socket = ssl.create_default_context().wrap_socket(self.socket, server_hostname=host)
            return self.socket
        raise Refused(502, "The page's host refuses the connection") from error

    def read(self, response):
        parts = []
        size = 0
        while True:
            if self.socket.fileno() != -1:
                self.socket.settimeout(self.left())
            part = response.read1(65_536)
            if not part:
                if response.length:  # of the bytes that Content-Length announced, so many did not come
                    raise Refused(502, "The page ends too early")
                return b"".join(parts)
            size += len(part)
            if size > MAX_BYTES:
                raise Refused(502, f"The page is larger than {MAX_BYTES} bytes")
            parts.append(part)


def parse(url):
    """Return scheme, host, port and path of a URL that may be fetched."""
    if len(url) > MAX_URL:
        raise Refused(400, f"url is longer than {MAX_URL} characters")
    if any(character <= " " or character == "\x7f" for character in url):
        raise Refused(400, "url holds a space or a control character")
    try:
        parts = urlsplit(url)
        host = parts.hostname
        port = parts.port
        if host and ":" not in host:
            host = host.encode("idna").decode("ascii")
    except ValueError:  # UnicodeError is one
        raise Refused(400, "url is not a URL") from None
    if parts.scheme not in PORTS:
        raise Refused(400, "url must begin with http:// or https://")
    if not host:
        raise Refused(400, "url names no host")
    if parts.username is not None or parts.password is not None:
        raise Refused(400, "url must not hold a user name or a password")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~?[]|")
    return parts.scheme, host, port or PORTS[parts.scheme], f"{path}?{query}" if query else path


def resolve(host, port):
    """Return the addresses of a host, all of them public."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refused(502, "The page's host is not known") from None
    addresses = [(family, address) for family, _, _, _, address in found]
    if os.environ.get("KEYWORD_ALLOW_PRIVATE") != "1" and not all(is_public(address[0]) for _, address in addresses):
        raise Refused(400, "url leads to an address that is not public")
    return addresses


def is_public(text):
    """Tell whether an address is one of the open internet; one that wraps an IPv4 address is what it wraps."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if address.version == 6:
        wrapped = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in NAT64:
            wrapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(str(wrapped))
        return address in GLOBAL_UNICAST and address.is_global
    return address.is_global and not (address.is_multicast or address.is_reserved)


def check_headers(headers):
    kind = headers.get_content_type() if headers.get("Content-Type") else "text/"
    if not TEXT.match(kind):
        raise Refused(502, f"The page is no text but {kind}")
    if headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise Refused(502, "The page is compressed, although that was not asked for")
    if headers.get("Content-Length", "").isdecimal() and int(headers["Content-Length"]) > MAX_BYTES:
        raise Refused(502, f"The page is larger than {MAX_BYTES} bytes")


def decode(headers, body):
    """Decode a page by its byte order mark, its header's charset, its meta element, or as UTF-8, in that order."""
    for mark, charset in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if body.startswith(mark):
            return body.decode(charset, "replace")
    meta = META_CHARSET.search(body[:1024])
    for charset in (headers.get_content_charset(), meta and meta[1].decode("ascii")):
        try:
            if charset and codecs.lookup(charset).name not in NOT_FOR_PAGES:
                return body.decode(charset, "replace")
        except LookupError:
            pass  # a charset that Python does not know, or no text encoding
    if b"\0" in body[:1024]:
        raise Refused(502, "The page is no text")
    return body.decode("utf-8", "replace")
