from __future__ import annotations

from bareboat.container.authorization import Challenge, parse_challenges

# The first is the example of RFC 9110, section 11.6.1; the second is Docker Hub's, the third GitLab's.


def test_several_challenges_in_one_header_are_told_apart():
    said = 'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""'

    assert parse_challenges(said) == (
        Challenge("basic", {"realm": "simple"}),
        Challenge("newauth", {"realm": "apps", "type": "1", "title": 'Login to "apps"'}),
    )


def test_a_bearer_challenge_keeps_commas_within_quotes():
    said = (
        'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",'
        'scope="repository:library/x:pull,push"'
    )

    (challenge,) = parse_challenges(said)

    assert challenge.scheme == "bearer"
    assert challenge.parameters["scope"] == "repository:library/x:pull,push"


def test_what_is_no_challenge_is_none():
    assert parse_challenges("") == ()
    assert parse_challenges("Negotiate") == (Challenge("negotiate", {}),)
