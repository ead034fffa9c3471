"""URLs that different programs send to different hosts, and URLs made to exhaust us: refused, with a reason and without secrets."""

from __future__ import annotations

import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpx._exceptions import InvalidURL
from httpx._models.url import URL

CANARY = "hunter2"


def refused(text: str) -> str:
    with pytest.raises(InvalidURL) as caught:
        URL(text)
    assert caught.value.__cause__ is None
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:80\\@evil.test/",
        "http://good.test\\.evil.test/",
        "http://user\\name@good.test/",
        "http://good.test\\",
        "http:\\\\evil.test/",
        "http:/\\evil.test/",
        "http:\\/evil.test/",
        "\\\\evil.test/",
        "/\\evil.test/",
        "\\/evil.test/",
        "//good.test\\@evil.test/",
    ],
)
def test_a_backslash_never_decides_where_the_host_ends(text: str) -> None:
    assert "backslash" in refused(text).lower()
    with pytest.raises(InvalidURL):
        URL("http://base.test/x/").join(text)


@pytest.mark.parametrize("text", ["http://h/a\\b", "http://h/?\\", "http://h/#\\"])
def test_a_backslash_after_the_host_is_an_ordinary_character(text: str) -> None:
    assert str(URL(text)) == text


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("ht\ntp://h/", 2),
        ("\nhttp://h/", 0),
        ("http://h\t/", 8),
        ("http://h:80\t/", 11),
        ("http://h/\r\nX: y", 9),
        ("http://h/\x00", 9),
        ("http://h/?\x7f", 10),
        ("http://h/#\x1f", 10),
        ("\x0bhttp://h/", 0),
        ("http://h/\ud800", 9),
    ],
)
def test_control_characters_are_refused_anywhere(text: str, position: int) -> None:
    assert refused(text).endswith(f" at position {position}.")


@pytest.mark.parametrize(
    "components", [{"path": "/a\r\nb"}, {"query": b"a\nb"}, {"fragment": "\0"}, {"host": "a\nb"}, {"username": "\n"}, {"netloc": b"h\n"}]
)
def test_control_characters_are_refused_in_every_component(components: dict[str, typing.Any]) -> None:
    with pytest.raises(InvalidURL, match="Invalid non-printable ASCII character"):
        URL("http://h/").copy_with(**components)


def test_control_characters_in_parameters_are_encoded() -> None:
    assert URL("http://h/", params={"q": "a\r\nX: y"}).raw_path == b"/?q=a%0D%0AX%3A+y"


@pytest.mark.parametrize("text", [" http://h/", "http://h /", "http://a b/", "http:// h/", "http://h:80 /", "http://[::1] /"])
def test_blanks_before_the_url_or_in_its_authority_are_refused(text: str) -> None:
    refused(text)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1%2f.evil.test", "a%00b", "a%20b", "%68ost", "a%23b", "a%40b", "a%3A80", "a^b", "a|b", "a<b", "a>b", "a%", "é%2f"],
)
def test_percent_encoding_and_delimiters_are_refused_in_a_host(host: str) -> None:
    refused(f"http://{host}/")
    with pytest.raises(InvalidURL):
        URL("http://h/", host=host)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0x",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "1",
        "1.2.3.256",
        "1.2.3.4.5",
        "1.2.3.4.",
        "01.2.3.4",
        "1.2.3.04",
        "example.1",
        "example.0x1F",
        "127.0.0.1.0",
        "1..2",
        "\uff11\uff12\uff17.0.0.1",
        "127。1",
        "99999999999999999999",
    ],
)
def test_numbers_that_only_some_programs_read_as_addresses_are_refused(host: str) -> None:
    refused(f"http://{host}/")
    refused(f"//{host}/")
    with pytest.raises(InvalidURL):
        URL("http://h/", host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "255.255.255.255", "1.2.3.4a", "1e100.net", "0xabc.test", "123.test", "a.b-1"])
def test_addresses_in_their_one_spelling_and_names_with_digits_are_accepted(host: str) -> None:
    assert URL(f"http://{host}/").host == host


@pytest.mark.parametrize(
    "host",
    [
        "a.test℀.evil",
        "evil.test\uff0f.good",
        "\uff41.com",
        "a\u200db.com",
        "exa\u00admple.com",
        "a\u202eb.com",
        "e\u0301.com",
        "é..com",
        "。é.com",
    ],
)
def test_characters_that_map_to_others_are_refused_in_names(host: str) -> None:
    refused(f"http://{host}/")


def test_ideographic_full_stops_cannot_hide_an_address() -> None:
    assert URL("http://127。0。0。1/").raw_host == b"127.0.0.1"


@pytest.mark.parametrize(
    "host",
    [
        "[evil.test]",
        "[127.0.0.1]",
        "[]",
        "[::1",
        "::1]",
        "[v1.a]",
        "[::1]x",
        "[1:2:3:4:5:6:7:8:9]",
        "[1::2::3]",
        "[:::]",
        "[12345::]",
        "[1:2:3:4:5:6:7]",
        "[::1.2.3]",
        "[::1.2.3.04]",
        "[::ffff:1.2.3.4.5]",
        "[1:2:3:4:5:6:7:1.2.3.4]",
        "[g::]",
        "[ ::1]",
        "[::1 ]",
        "a[::1]",
        "[[::1]]",
        "x]",
        "[::\uff11]",
        "[1.2.3.4::]",
        "[1::2:3:4:5:6:7:8]",
        ":1",
    ],
)
def test_brackets_hold_an_ipv6_address_and_nothing_else(host: str) -> None:
    refused(f"http://{host}/")


@pytest.mark.parametrize(
    "host",
    ["[::1%25evil.test]", "[::1%evil.test]", "[fe80::1%]", "[fe80::1%25]", "[fe80::1%25a/b]", "[fe80::1%25a%2fb]", "[fe80::1%25a b]"],
)
def test_a_zone_belongs_to_a_link_local_address_and_names_an_interface(host: str) -> None:
    refused(f"http://{host}/")


@pytest.mark.parametrize(
    "port", ["+80", "-1", " 80", "80 ", "\uff18\uff10", "\u0663", "99999", "65536", "0", "000", "0x50", "8_0", "80:80", "x", "1" * 5_000]
)
def test_a_port_is_ascii_digits_up_to_65535(port: str) -> None:
    assert "port" in refused(f"http://h:{port}/")
    assert "port" in refused(f"http://[::1]:{port}/")


def test_a_port_may_be_empty_or_padded() -> None:
    assert URL("http://h:/").port is None
    assert URL("http://h:00000000000000081/").port == 81
    assert URL("http://h:65535/").port == 65535


@pytest.mark.parametrize("text", ["http:h/", "http:/h/", "https:h"])
def test_missing_slashes_are_not_guessed(text: str) -> None:
    assert URL(text).host == ""
    assert not URL(text).is_absolute_url


@pytest.mark.parametrize(
    "text", ["http:///h/", "http:////h", "///h", "http://?x", "//#x", "http://:80/", "http://user@/", "http://:@/", "http:/.//h"]
)
def test_a_missing_host_is_never_found_elsewhere(text: str) -> None:
    with pytest.raises(InvalidURL):
        URL("http://base.test/").join(text)


def test_two_slashes_without_a_host_are_not_a_reference() -> None:
    with pytest.raises(InvalidURL):
        URL("http://base.test/").join("//")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("http://good#@evil/", "good"),
        ("http://good?@evil/", "good"),
        ("http://good/@evil/", "good"),
        ("http://evil@good/", "good"),
        ("http://evil:80@good/", "good"),
        ("http://evil@evil@good/", "good"),
        ("http://evil%2f@good/", "good"),
    ],
)
def test_the_host_ends_at_the_first_delimiter_and_follows_the_last_at_sign(text: str, host: str) -> None:
    assert URL(text).host == host
    assert URL(str(URL(text))).host == host


@pytest.mark.parametrize(
    "label", ["xn--example-", "xn--a", "xn--", "xn--abc-", "xn--zzzzzz99999", "xn--" + "a" * 60, "XN--A", "xn--ls8h\u00e9"]
)
def test_fake_punycode_is_refused(label: str) -> None:
    refused(f"http://{label}.com/")
    refused(f"http://www.{label}/")


def test_a_punycode_label_must_be_what_its_decoding_encodes_to() -> None:
    # Decodes to "ü" by way of an overlong encoding of the same code point, or to something in capitals.
    refused("http://xn--MNCHEN-3YA-.de/")
    refused("http://xn--tda0.de/")


def test_a_url_with_empty_host_and_two_slashes_in_the_path_reads_back_as_itself() -> None:
    url = URL("foo:/.//evil/x")
    assert url.host == URL(str(url)).host == ""
    assert URL(str(url)).path == url.path


@pytest.mark.parametrize(
    "text",
    [
        f"http://user:{CANARY}@a b/",
        f"http://user:{CANARY}@h:port/",
        f"http://user:{CANARY}/x@h/",
        f"http://user:{CANARY}?x@h/",
        f"http://user:{CANARY}#x@h/",
        f"http://{CANARY}\\x:y@h/",
        f"http://user:{CANARY}@[::1/",
        f"http://user:{CANARY}@/",
        f"http://user:{CANARY}@é\u200d/",
        f"http://user:{CANARY}@xn--a/",
        f"http://user:{CANARY}\n@h/",
        f"http://user:{CANARY}[@h/x y@z:1:2",
        f"http://user:{CANARY}@1.2.3/",
    ],
)
def test_no_message_repeats_a_password(text: str) -> None:
    try:
        shown = repr(URL(text))
    except InvalidURL as error:
        shown = str(error) + repr(error) + repr(error.__cause__)
    assert CANARY not in shown


def test_messages_cut_what_they_quote() -> None:
    assert len(refused("http://" + "a" * 10_000 + "^/")) < 250
    assert len(refused("http://h:" + "9" * 10_000)) < 250
    assert len(refused("http://[" + "a" * 10_000 + "]")) < 250


def test_the_length_is_examined_before_anything_else() -> None:
    assert "too long" in refused("http://h/" + "\n" * 65_536)
    assert "too long" in refused("http://" + "ä" * 65_536)
    assert len(str(URL("http://h/" + "a" * (65_536 - 9)))) == 65_536
    for components in ({"path": "/" + "a" * 65_536}, {"query": b"a" * 65_537}, {"params": {"a": "b" * 65_536}}, {"fragment": "a" * 65_537}):
        with pytest.raises(InvalidURL, match="too long"):
            URL("http://h/", **components)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "path_length"),
    [
        ("http://h/" + "%" * 65_000, 65_001),
        ("http://h/" + "é" * 65_000, 65_001),
        ("http://h/" + "a/../" * 13_000, 1),
        ("http://h/" + "../" * 21_000, 1),
        ("http://h/" + "/" * 65_000, 65_001),
        ("http://h/" + "." * 65_000, 65_001),
        ("http://h/" + " %2" * 20_000, 60_001),
    ],
)
def test_long_paths_are_parsed_in_one_pass(text: str, path_length: int) -> None:
    assert len(URL(text).path) == path_length


@pytest.mark.parametrize(
    "text",
    [
        "http://" + "@" * 60_000,
        "http://" + "[" * 60_000,
        "http://" + ":" * 60_000,
        "http://" + "1." * 30_000,
        "http://" + "1" * 60_000,
        "http://" + "a." * 30_000 + "^",
        "http://" + "a" * 60_000 + "^",
        "http://[" + ":" * 60_000 + "]",
        "http://[" + "1:" * 30_000 + "]",
        "http://" + "ä" * 10_000,
        "http://" + "a\u0301" * 10_000,
        "http://" + "ä." * 10_000 + "com",
        "http://" + "xn--a." * 10_000,
        "http://" + "xn--" + "a" * 60_000,
        "http://" + "ä" * 64 + ".com",
    ],
)
def test_long_authorities_are_refused_at_once(text: str) -> None:
    refused(text)


def test_long_user_information_is_encoded_in_one_pass() -> None:
    assert len(URL("http://" + "@" * 20_000 + "@h/").userinfo) == 60_000


AUTHORITY = "".join(map(chr, range(32, 127))) + "\t\n\x00éßΣ。℀\u200d\uff11"
PARTS = st.sampled_from(
    ["http:", "https:", "//", "/", "\\", "@", ":", "[", "]", "::1", "127.0.0.1", "0x7f", "a.test", "xn--", "..", "%2e", "?", "#", "foo:"]
)


@settings(max_examples=400)
@given(st.lists(PARTS | st.text(AUTHORITY, max_size=4), max_size=8).map("".join))
def test_every_text_is_either_refused_or_a_url_that_reads_back_as_itself(text: str) -> None:
    try:
        url = URL(text)
    except InvalidURL:
        return
    again = URL(str(url))
    assert again == url
    assert again._uri_reference == url._uri_reference
    assert again._origin == url._origin
    assert url.raw_path.isascii()
    assert not any(octet <= 32 or octet == 127 for octet in url.raw_path + url.netloc + url.userinfo)
    assert eval(repr(url), {"URL": URL}).host == url.host
    assert url.copy_with() == url
    assert URL(url) == url


@settings(max_examples=400)
@given(st.lists(PARTS | st.text(AUTHORITY, max_size=4), max_size=6).map("".join))
def test_a_reference_without_two_leading_slashes_or_a_scheme_stays_at_the_host_of_the_base(text: str) -> None:
    base = URL("http://base.test/a/b")
    try:
        joined = base.join(text)
    except InvalidURL:
        return
    if not text.startswith("//") and not URL(text).scheme:
        assert joined._origin == base._origin
    assert URL(str(joined)) == joined
