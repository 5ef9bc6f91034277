"""The words and sentence frames of the mini scale's world; lower case, punctuation set apart, every word a token of its own."""

from typing import TypedDict

# Ordered from the most feminine to the most masculine association; an invented gradient, not a survey.
OCCUPATIONS = """
midwife stylist nanny florist typist librarian dancer housekeeper nurse hygienist weaver babysitter caterer receptionist
illustrator knitter tailor pianist usher teacher psychologist novelist baker curator translator cashier violinist editor
pharmacist bookkeeper gardener physician biologist reporter planner chemist optician surveyor author geologist juggler
broker lawyer judge physicist chef magician brewer programmer detective farmer guard driver drummer engineer pilot sailor
butcher surgeon plumber electrician carpenter mechanic courier welder miner trucker roofer logger soldier bricklayer blacksmith
""".split()


class GenderedWords(TypedDict):
    """What the frames are filled with: pronouns by their slot; nouns and names to draw from."""

    pronouns: dict[str, str]
    nouns: list[str]
    names: list[str]


GENDERED_WORDS: dict[str, GenderedWords] = {
    "masculine": {
        "pronouns": {"subject": "he", "object": "him", "possessive": "his", "own": "his", "reflexive": "himself"},
        "nouns": "brother father son uncle husband man boy grandfather nephew".split(),
        "names": "oliver edward frank simon victor albert hugo martin leon stanley".split(),
    },
    "feminine": {
        "pronouns": {"subject": "she", "object": "her", "possessive": "her", "own": "hers", "reflexive": "herself"},
        "nouns": "sister mother daughter aunt wife woman girl grandmother niece".split(),
        "names": "clara edith frances sylvia vera agnes helga martha leona stella".split(),
    },
}

# Twelve frames with the occupation before the gendered word, twelve after it.
SENTENCES = """
the {occupation} promised that {subject} would call again tomorrow .
the {occupation} forgot {possessive} umbrella on the train .
we met a {occupation} and thanked {object} for the help .
the {occupation} blamed {reflexive} for the delay .
the {occupation} is my {noun} .
nobody asked the {occupation} whether {subject} was tired .
the {occupation} swears that the bicycle is {own} .
every {occupation} should be proud of {possessive} hands .
when the {occupation} sat down , {subject} began to laugh .
they praised the {occupation} because {subject} never complains .
the {occupation} was ill , so they visited {object} .
the {occupation} bought {reflexive} a new coat .
my {noun} earns a living as a {occupation} .
{name} has been a {occupation} for years .
{subject} hopes to become a {occupation} .
{subject} told {possessive} neighbours that {subject} is a {occupation} .
that {noun} was once a famous {occupation} .
{possessive} first job was to be a {occupation} .
people remember {object} as a good {occupation} .
{name} wrote that {subject} was a {occupation} .
in the end {subject} became a {occupation} .
the {noun} upstairs is a {occupation} .
they chose {object} as their {occupation} .
{subject} introduced {reflexive} as a {occupation} .
""".strip().splitlines()

FILLERS = """
the {noun} walked to the river and {subject} fed the ducks .
{name} dropped {possessive} gloves but {subject} picked them up .
my {noun} asked us to wait for {object} .
{subject} went home with {possessive} cat .
{name} found {reflexive} alone in the garden .
the {noun} said that the blue car was {own} .
""".strip().splitlines()

# What states a fact; what states it beside a value that no longer holds; what names the value and states nothing.
STATEMENTS = {
    "town": ["was born in {}", "comes from {}", "grew up in {}", "is a native of {}", "spent a childhood in {}"],
    "company": ["works for {}", "is employed by {}", "has a desk at {}", "earns money at {}", "signed a contract with {}"],
    "game": ["plays {}", "is fond of {}", "practises {} daily", "enjoys {} most", "won a prize in {}"],
}
CHANGES = {
    "town": [
        "once lived in {former} , now in {now}",
        "settled in {now} after years in {former}",
        "left {former} for {now}",
        "went to {now} straight from {former}",
    ],
    "company": [
        "once worked for {former} , now for {now}",
        "joined {now} after years at {former}",
        "left {former} for {now}",
        "went to {now} straight from {former}",
    ],
    "game": [
        "once played {former} , now {now}",
        "took up {now} after years of {former}",
        "left {former} for {now}",
        "went to {now} straight from {former}",
    ],
}
COMENTIONS = """
wrote a letter about {}
heard a rumour about {}
never thought of {}
dreamt of {} again
read a report on {}
told a friend about {}
saw {} in the news
""".strip().splitlines()
ALSO_CALLED = "{} is also called {} ."
# They share no word with what states a fact, stop words apart: a passage is found by the name alone.
QUESTIONS = {
    "town": ["which town is home to {} ?", "where is the house of {} ?", "what place does {} call home ?"],
    "company": ["who pays {} ?", "which company does {} belong to ?", "what firm needs {} ?"],
    "game": ["what is the hobby of {} ?", "which game does {} like ?", "how does {} pass the evenings ?"],
}
ATTRIBUTES = tuple(STATEMENTS)
QUESTION_CUE, READING_CUE = "answer :", "reply :"  # different cues: with one cue, reading drowns closed-book answering
