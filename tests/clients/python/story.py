"""A consumer's program over the client that a public generator makes of the description: who
am I, an alias, mail to it, its messages page by page, and what to do when the calls run out."""

import os
import smtplib
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from http import HTTPStatus

from gatepost import AuthenticatedClient
from gatepost.api.aliases import create_alias
from gatepost.api.me import get_me
from gatepost.api.messages import list_messages
from gatepost.models import Alias, ErrorResponse, Me, MessageRow, NewAlias, PageMessageRow
from gatepost.models import MyToken
from gatepost.types import UNSET, Unset

SUBJECTS = ["first", "second", "third", "fourth", "fifth"]


def who_am_i(client: AuthenticatedClient) -> None:
    me = get_me.sync(client=client)
    assert isinstance(me, Me), me
    assert isinstance(me.token, MyToken)
    say(f"me {me.team.name} {me.token.name}")


def make_alias(client: AuthenticatedClient) -> Alias:
    alias = create_alias.sync(client=client, body=NewAlias(note="made by a program"))
    assert isinstance(alias, Alias), alias
    say(f"alias {alias.address}")
    return alias


def send(to: str, subject: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "bob@customer.test", to, subject
    mail.set_content("Hello")
    host, port = os.environ["SMTP"].split(":")
    with smtplib.SMTP(host, int(port)) as server:
        server.send_message(mail)


def messages(client: AuthenticatedClient, alias: str) -> Iterator[MessageRow]:
    cursor: str | Unset | None = UNSET
    while cursor is not None:
        page = list_messages.sync(client=client, alias=alias, limit=2, cursor=cursor)
        assert isinstance(page, PageMessageRow), page
        say(f"page {len(page.data)}")
        yield from page.data
        cursor = page.pagination.next_cursor


def call_until_the_limit(client: AuthenticatedClient) -> None:
    """Calls until it is refused, waits as long as Retry-After says, and goes on."""
    while (answer := get_me.sync_detailed(client=client)).status_code == HTTPStatus.OK:
        pass
    assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS, answer
    assert isinstance(answer.parsed, ErrorResponse)
    assert answer.parsed.error.code == "RATE_LIMIT_EXCEEDED"
    wait(int(answer.headers["Retry-After"]))
    say(f"then {get_me.sync_detailed(client=client).status_code.value}")


def wait(seconds: int) -> None:
    """The test has the clock: it says when the time has passed."""
    say(f"wait {seconds}")
    sys.stdin.readline()


def say(line: str) -> None:
    print(line, flush=True)


def main() -> None:
    client = AuthenticatedClient(base_url=os.environ["API"], token=os.environ["TOKEN"])
    who_am_i(client)
    alias = make_alias(client)
    for subject in SUBJECTS:
        send(alias.address, subject)
    subjects = [message.subject for message in messages(client, alias.id)]
    assert subjects == SUBJECTS[::-1], subjects
    call_until_the_limit(client)


if __name__ == "__main__":
    main()
