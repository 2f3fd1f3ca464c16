"""What a stranger was told is said again to the same question alone, and not for long."""

import random
import string
import time
from ipaddress import ip_network

from ostiary_auth.fast.answers import Answer, written
from ostiary_auth.fast.ask import GATE, MANNER, Ask, Headers, Question
from ostiary_auth.fast.places import Places
from ostiary_auth.fast.replies import MOST, NOBODY, SECONDS, UNKNOWN, Replies
from ostiary_auth.settings import AuthSettings
from ostiary_shared import clock
from ostiary_shared.database import Sessions
from ostiary_shared.store import roles
from ostiary_shared.work import Caller, open_work
from tests.auth.fast.doors import comparable, opened
from tests.auth.gate.conftest import HOST, add_guest, add_site

NO = written(401, [(b"content-type", b"application/problem+json")], b"{}")


def carrying(uri: bytes = b"/x", *more: tuple[bytes, bytes]) -> Ask:
    headers: Headers = [
        (b"x-forwarded-method", b"GET"),
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-host", HOST.encode()),
        (b"x-forwarded-uri", uri),
        *more,
    ]
    return Ask(GATE, headers, trusted=True, peer="unix")


def asking(uri: bytes = b"/x", *more: tuple[bytes, bytes], by_address: bool = False) -> Question:
    return carrying(uri, *more).question(by_address=by_address)


def test_the_same_question_gets_the_same_answer_for_a_moment() -> None:
    replies = Replies()
    replies.keep(asking(), NOBODY, NO, 100.0)
    assert replies.again(asking(), NOBODY, 100.0 + SECONDS / 2) == NO
    assert replies.again(asking(), NOBODY, 100.0 + 3 * SECONDS) is None


def test_when_it_is_time_to_ask_anew_one_does_and_the_others_hear_the_old_answer() -> None:
    replies = Replies()
    replies.keep(asking(), NOBODY, NO, 100.0)
    then = 100.0 + SECONDS
    assert [replies.again(asking(), NOBODY, then) for _ in range(3)] == [None, NO, NO]


def test_another_question_does_not() -> None:
    replies = Replies()
    replies.keep(asking(), NOBODY, NO, 100.0)
    assert replies.again(asking(), UNKNOWN, 100.0) is None
    assert replies.again(asking(b"/y"), NOBODY, 100.0) is None
    for name in MANNER:
        assert replies.again(asking(b"/x", (name, b"z")), NOBODY, 100.0) is None, name


def test_only_refusals_without_a_cookie_are_kept() -> None:
    replies = Replies()
    for told in (written(200, [], b""), written(503, [], b""), written(401, [(b"set-cookie", b"a=b")], b"")):
        replies.keep(asking(), NOBODY, told, 100.0)
    assert replies.again(asking(), NOBODY, 100.0) is None


def test_strangers_cannot_fill_memory_with_long_questions() -> None:
    replies, places = Replies(), Places(lambda _: None)
    for ask in (carrying(b"/" + b"x" * 5_000), carrying(b"/x", (b"referer", b"x" * 5_000)), carrying(b'/"')):
        replies.keep(ask.question(by_address=False), NOBODY, NO, 100.0)
        places.find(ask, {})
    assert len(replies._said) == 1  # the short one
    assert [len(key[3]) for key in places._known] == [2]  # what is canonical, and short


def test_what_is_forgotten_is_not_said_again() -> None:
    replies = Replies()
    replies.keep(asking(), NOBODY, NO, 100.0)
    replies.clear()
    assert replies.again(asking(), NOBODY, 100.0) is None


def test_a_flood_of_different_questions_does_not_grow_it() -> None:
    replies = Replies()
    for number in range(MOST + 10):
        replies.keep(asking(b"/%d" % number), NOBODY, NO, 100.0)
    assert len(replies._said) <= MOST


def test_whoever_carries_a_token_hears_their_own_refusal_until_a_notice_about_it() -> None:
    replies = Replies()
    mine, other = b"m" * 16, b"o" * 16
    for who in (mine, other):
        replies.keep(asking(), who, NO, 100.0)
    assert replies.again(asking(), NOBODY, 100.0) is None
    replies.forget(mine)
    assert replies.again(asking(), mine, 100.0) is None
    assert replies.again(asking(), other, 100.0) == NO


def test_where_rules_ask_where_somebody_comes_from_refusals_differ_by_that() -> None:
    replies = Replies()
    inside, outside = (asking(b"/x", (b"x-forwarded-for", ip), by_address=True) for ip in (b"10.0.0.1", b"8.8.8.8"))
    replies.keep(outside, NOBODY, NO, 100.0)
    assert replies.again(outside, NOBODY, 100.0) == NO
    assert replies.again(inside, NOBODY, 100.0) is None


async def test_a_refused_person_is_let_in_as_soon_as_the_role_is_given(
    auth_settings: AuthSettings, sessions: Sessions, admin_sessions: Sessions
) -> None:
    """Asked again and again, the refusal comes from memory; the notice of the grant takes it away."""
    await add_site(admin_sessions)
    guest = await add_guest(sessions, "bo@example.test", "end-user")
    settings = auth_settings.model_copy(update={"trusted_proxies": (ip_network("127.0.0.1/32"),)})
    async with opened(settings) as doors:
        asked = [*carrying(b"/editor/x").headers, (b"cookie", f"ostiary={guest.token}".encode())]
        assert {(await doors.by_quick_door(b"/gate", asked)).status for _ in range(3)} == {403}
        ask = Ask(GATE, asked, trusted=True, peer="127.0.0.1")
        assert isinstance(doors.door._keeper.at_once(ask, time.monotonic()), Answer)
        async with open_work(sessions, tools=None, caller=Caller()) as work:
            role = await roles.add(work.session, "editor", "", frozenset())
            assert role is not None
            await roles.grant(work.session, roles.Grant(guest.user.id, role.id, "t"), clock.now())
        assert work.receipt is not None
        assert (await doors.by_quick_door(b"/gate", asked)).status == 200


async def test_a_refusal_does_not_depend_on_any_other_header(
    auth_settings: AuthSettings, sessions: Sessions, admin_sessions: Sessions
) -> None:
    """Else what one stranger is told would be said to another who asked differently."""
    await add_site(admin_sessions)
    dice = random.Random(3)
    names = [b"user-agent", b"accept-language", b"accept-encoding", b"cache-control", b"dnt", b"x-real-ip", b"te",
             b"x-original-uri", b"forwarded", b"via", b"if-none-match", b"range", b"x-request-id"]  # fmt: skip
    settings = auth_settings.model_copy(update={"trusted_proxies": (ip_network("127.0.0.1/32"),)})
    async with opened(settings) as doors:
        for path in (b"/gate", b"/gate/nginx", b"/api/v1/session"):
            for mode in (b"navigate", b"cors"):
                plain = [*carrying(b"/wiki").headers, (b"host", b"x"), (b"sec-fetch-mode", mode)]
                expected = comparable(await doors.by_app(path, plain))
                assert expected[0] in {302, 401}
                for _ in range(6):
                    noise = "".join(dice.choices(string.ascii_letters, k=9)).encode()
                    more = [(name, noise) for name in dice.sample(names, 4)]
                    assert comparable(await doors.by_app(path, [*plain, *more])) == expected, more
