"""Somebody who is refused the same thing all day takes no more room for it than at first."""

from ostiary_auth.fast.answers import written
from ostiary_auth.fast.ask import GATE, Question
from ostiary_auth.fast.replies import SECONDS, Replies


def test_what_is_refused_again_and_again_is_kept_once() -> None:
    replies, question = Replies(), Question(GATE, (b"GET", b"https", b"x", b"/", ()), False, False, ())
    refusal = written(403, [(b"content-length", b"0")], b"")
    for number in range(100):
        replies.keep(question, b"somebody", refusal, number * 2 * SECONDS)
    assert len(replies._of[b"somebody"]) == 1
    replies.forget(b"somebody")
    assert replies.again(question, b"somebody", 0.0) is None
