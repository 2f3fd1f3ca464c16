"""Who is in the samples: people who never existed, in every state that a list can show."""

from dataclasses import dataclass

DOMAIN = "example.test"  # can never be anybody's (RFC 2606)


@dataclass(frozen=True)
class Held:
    """A role of theirs: why, and for how many days from now (none: for good; less than nothing: over since)."""

    role: str
    reason: str
    days: int | None = None


@dataclass(frozen=True)
class Sample:
    """Somebody who never existed."""

    name: str
    days: int  # since they joined
    seen: int | None = None  # hours since they were here
    holds: tuple[Held, ...] = ()
    confirmed: bool = True
    locked: str = ""
    deleted: str = ""

    @property
    def email(self) -> str:
        """Their first name at the domain of the samples."""
        return address(self.name.split()[0])


def address(first_name: str) -> str:
    """The address of a sample."""
    return f"{first_name.lower()}@{DOMAIN}"


WRITES = Held("editor", "Writes for the team wiki.")
BILLS = Held("billing", "Works in accounting.")
HELPS = Held("helpdesk", "Answers the phone on weekdays.")

STORIES = (
    Sample("Amara Okafor", 412, 2, (WRITES, HELPS)),
    Sample("Bruno Keller", 398, 1, (Held("editor", "Edits the spring newsletter.", -3),)),
    Sample("Chiara Fontana", 371, 5, (BILLS,)),
    Sample("Daniel Osei", 350, 3),
    Sample("Elif Demir", 333, 1, (Held("support", "Leads the support team."),)),
    Sample("Farid Haddad", 301, 52, (Held("auditor", "Looks at the yearly audit.", 60),)),
    Sample("Greta Lindqvist", 290, 12, (WRITES, Held("billing", "Stands in for Chiara.", 14))),
    Sample("Hiroshi Tanaka", 266, 3400),
    Sample("Ingrid Solberg", 251, 90, locked="Reported a stolen laptop; call before unlocking."),
    Sample("Joaquin Reyes", 230, 8),
    Sample("Kateryna Bondar", 214, 20, (HELPS,)),
    Sample("Liam Byrne", 199, 400),
    Sample("Mei Chen", 180, 4, (WRITES,)),
    Sample("Nadia Rahman", 166, 26, (Held("helpdesk", "Helped out over the holidays.", -20),)),
    Sample("Oskar Nowak", 150, 1900, locked="Left the company in spring."),
    Sample("Priya Raman", 131, 6, (BILLS,)),
    Sample("Quentin Moreau", 118, 48, deleted="Asked for it by mail."),
    Sample("Rosa Almeida", 97, 15, (WRITES,)),
    Sample("Samuel Adeyemi", 76, 33, (Held("editor", "Trial month.", 9),)),
    Sample("Tereza Novotna", 54, 7),
    Sample("Umar Siddiqui", 31, 72),
    Sample("Vera Petrova", 12, None),
    Sample("Wen Li", 3, None, confirmed=False),
    Sample("Ximena Duarte", 1, None, confirmed=False),
    Sample("Yusuf Kaya", 505, 2600, deleted="Contract ended."),
)
OTHERS = [
    "Aiko Mori", "Bela Horvath", "Carmen Ortiz", "Dmitri Volkov", "Esther Mensah", "Fiona Campbell", "Goran Ilic",
    "Hana Novakova", "Ibrahim Diallo", "Jana Kral", "Kofi Asante", "Leila Nasser", "Marco Bianchi", "Noor Hassan",
    "Olga Ivanova", "Paulo Teixeira", "Qing Zhao", "Rania Khalil", "Stefan Berger", "Thuy Nguyen", "Uche Eze",
    "Viktor Hansen", "Wanjiru Kamau", "Xavier Roche", "Yara Haddad", "Zoltan Kiss", "Agnes Larsen", "Bashir Omar",
    "Cecilia Strand", "Dario Conti", "Emeka Obi", "Freja Holm", "Gustavo Lima", "Hyejin Park", "Ivana Petrovic",
    "Jonas Weber", "Khadija Sow", "Lucia Romero", "Mateus Rocha", "Nina Virtanen", "Omar Farouk", "Pia Schmid",
]  # fmt: skip
PEOPLE = STORIES + tuple(
    Sample(name, 20 + 11 * place, (7 * place * place) % 997, (WRITES,) if place % 9 == 4 else ())
    for place, name in enumerate(OTHERS)
)
