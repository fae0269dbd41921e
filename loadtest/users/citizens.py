"""Citizens: signing in, reading who asked, granting, promising, withdrawing."""

from __future__ import annotations

from loadtest.users._citizen import CitizenUser
from loadtest.users._city import Case


class SigningIn(CitizenUser):
    """Looks at the own score and leaves."""

    weight = 4
    a_day = 40_000

    def begin(self) -> None:
        """Nothing: every turn is a whole visit."""

    def act(self) -> None:
        """In, look, out."""
        self.sign_in()
        self.sign_out()


class Reading(CitizenUser):
    """Reads who asked, and why the last answer was what it was."""

    weight = 2
    a_day = 10_000
    promising = True

    def act(self) -> None:
        """The list, and its first entry."""
        lookups = self.read("/v1/me/lookups", "a citizen: who asked")["lookups"]
        if lookups and (decision := lookups[0].get("decision_id")):
            self.read(f"/v1/decisions/{decision}", "a citizen: why")


class Granting(CitizenUser):
    """Consents to a shop that asks, which sees it at once."""

    weight = 1
    a_day = 4_000
    promising = True
    party = "example-cameras"

    def act(self) -> None:
        """A grant that is seen by the very next question."""
        subject, _ = self.grant(self.party)
        expected = self.city.expected(self.number, consented=True)
        facts = self.city.scenario("rent")["example"]
        self.ask(Case(self.party, "rent", subject, facts, expected), "asks after a grant")


class Promising(CitizenUser):
    """Reads a promise and signs it with the own device."""

    weight = 1
    a_day = 2_000

    def begin(self) -> None:
        """A device is registered once."""
        self.sign_in()
        self.register_device()

    def act(self) -> None:
        """A text shown, and signed as it was shown."""
        asked = {"scenario": "library"}
        drafts = "/v1/me/commitments/drafts"
        draft = self.write(drafts, "a citizen: reads a promise", asked, 201)
        body = {"jws": self.signed(draft)}
        self.write("/v1/me/commitments", "a citizen: signs a promise", body, 201)


class Withdrawing(CitizenUser):
    """Takes a consent back, which binds the very next question."""

    weight = 1
    a_day = 400
    promising = True
    party = "example-camping"

    def act(self) -> None:
        """Good before, the ordinary way after."""
        subject, consent = self.grant(self.party)
        facts = self.city.scenario("rent")["example"]
        before = self.city.expected(self.number, consented=True)
        self.ask(Case(self.party, "rent", subject, facts, before), "asks before a withdrawal")
        path = f"/v1/me/consents/{consent}/withdraw"
        self.write(path, "a citizen: withdraws", None)
        after = Case(self.party, "rent", subject, facts, "standard_path")
        self.ask(after, "asks after a withdrawal")
