"""The project's words: ``python -m tests.prose`` prints every place with a word that this project does not use."""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]

DOCS, CHART, MESSAGES, COMMENTS, TESTS, NAMES = "docs", "chart", "messages", "comments", "tests", "names"
"""Where words are looked for: the docs; the chart and other files; strings with a space; comments and docstrings; names
of tests, which are sentences; all other names.
"""
SHOWN = frozenset({DOCS, CHART, MESSAGES})
PROSE = SHOWN | {COMMENTS, TESTS}
NAME = frozenset({NAMES})


@dataclass(frozen=True, slots=True)
class Word:
    """A pattern for whole words, what to write instead, where it is looked for, and what is fine all the same."""

    pattern: str
    instead: str
    scope: frozenset[str] = PROSE | NAME
    fine: str = ""


WORDS = (
    Word(r"machines?", "VM", fine=r"virtual machines?|domain\.machine|Machine API"),
    Word(
        r"claims?",
        "PVC",
        SHOWN,
        r"claim-known|ephemeral-claim|resource-claim|claim property sets?|claim/|`Claim`|→ Claim|Claims? →|\+ Claims",
    ),
    Word(r"marks?|marked|marking|unmarked", "the annotation unverified, an unverified VM", fine=r"pytest\.mark"),
    Word(
        r"registrations?|registered|registers?|registrar|unregister(ed|s)?",
        "webhook configuration",
        fine=r"register\(",
    ),
    Word(r"(un)?judg(e|es|ed|ing|e?ment)", "evaluate, check"),
    Word(
        r"refus(e|es|ed|ing|als?)",
        "deny",
        fine=r"connection refused|(kubevirt|kubernetes|openssl|trident|cdi|helm|server)( \w+){0,2} refuse[sd]?",
    ),
    Word(r"tolerat(e|es|ed|ing)", "pre-existing"),
    Word(r"as before", "pre-existing", frozenset({MESSAGES})),
    Word(r"exceptions?", "exemption", frozenset({DOCS, CHART})),
    Word(r"bearers?", "exemption source", fine=r"bearer[ -]tokens?"),
    Word(r"makers?", "owner, requester"),
    Word(r"made for", "owner, requester", NAME),
    Word(r"cop(y|ies|ied)", "restore or clone", NAME, r"not copied|^copy$|copy operations"),
    Word(r"arrivals?", "late PVC"),
    Word(r"foret(ell|ells|old)|to come", "predicted, later"),
    Word(r"surroundings", "cluster context"),
    Word(r"stuck|immobil\w*", "unmigratable, pinned", fine=r"stuck (in|at) [A-Z]\w+"),
    Word(r"ways?", "connectivity", NAME),
    Word(
        r"by way of|(the|its|their|our) way (from|to)|(in|on|stands in) (the|its|their|our|nobody's) way",
        "through",
        PROSE,
    ),
    Word(r"authorit(y|ies)", "CA", fine="signed by unknown authority"),
    Word(r"settl(e|es|ed|ing)", "trust delay"),
    Word(r"pass|let pass", "reconcile", NAME, r"by pass"),
    Word(r"(a|an|each|every|one|the|this|that|per|next|its|of) pass|passes,? (and|in) a", "reconcile", PROSE),
    Word(r"leads?|led", "leader", NAME),
    Word(r"leads(?! to)|leading replica|does not lead", "leader", PROSE),
    Word(r"put(s|ting)?( it| them| one| those)? back", "revert"),
    Word(r"troubles?", "problem"),
    Word(r"mirror(s|ed|ing)?", "cache"),
    Word(r"tell(s|ing)?|told", "report, warn, record, log"),
    Word(r"initial (values?|settings?|ones?)", "default"),
    Word(r"brakes?", "the global mode"),
    Word(r"not ?by", "excludedUsers", NAME, r"(are|is|but) not by"),
    Word(r"notBy", "excludedUsers", PROSE),
    Word(r"pdb", "podDisruptionBudget"),
    Word(r"anew", "again"),
    Word(r"mend(s|ed|ing)?", "fix"),
    Word(r"spoilt|spoil(s|ed|ing)?|unspoilt", "invalid"),
    Word(r"shall", "will, must"),
    Word(r"whoever", "anyone who"),
    Word(r"lets? (it |them )?by|what is let by", "skipped"),
    Word(r"lies", "is"),
    Word(r"kin", "similar"),
    Word(r"brings?|brought|bringing", "adds"),
    Word(r"of ours", "our own"),
    Word(r"nobody's hand|somebody's own hand|nothing follows", "automatic"),
)
"""`pass` and `way` are found as nouns only, `copy` in names only: a file may be copied, and a test passes."""

_SKIPPED = frozenset(
    {"__pycache__", "build", "dist", "LICENSE", "requirements.txt", "requirements-dev.txt", "requirements-build.txt"}
)
_SPEAKING_TESTS = ("tests/demo.py", "tests/documentation.py")
"""Of the tests, what prints for people."""
_URL = re.compile(r"https?://\S+")
_FIELD = re.compile(r"\{[^{}]*\}")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True, slots=True)
class Finding:
    """A word at a place, as ``str`` shows it."""

    place: str
    found: str
    instead: str

    def __str__(self) -> str:
        """Return it as a line."""
        return f"{self.place}: {self.found} → {self.instead}"


def findings(root: Path = ROOT) -> Iterator[Finding]:
    """Yield every word at every place of a checkout."""
    for path in sorted(root.rglob("*")):
        place = path.relative_to(root)
        hidden = any((part.startswith(".") and part != ".ci") or part.endswith(".egg-info") for part in place.parts)
        if hidden or _SKIPPED & set(place.parts):
            continue
        yield from _in(str(place), 1, TESTS if path.stem.startswith("test_") else NAMES, _split(path.stem))
        if path.suffix == ".py":
            yield from in_python(str(place), path.read_text())
        elif path.is_file():
            yield from _in(str(place), 1, DOCS if path.suffix == ".md" else CHART, path.read_text(errors="replace"))


def in_python(place: str, source: str) -> Iterator[Finding]:
    """Yield what is in a Python source, which is that of a file at a place in the checkout."""
    speaks = not place.startswith("tests/") or place in _SPEAKING_TESTS
    before = tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        begins = before in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and begins):
            yield from _in(place, token.start[0], COMMENTS, token.string)
        elif token.type in (tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)) and speaks:
            text = _FIELD.sub("{}", token.string) if "f" in token.string.partition('"')[0] else token.string
            is_prose = " " in text
            yield from _in(place, token.start[0], MESSAGES if is_prose else NAMES, text if is_prose else _split(text))
        if token.type not in (tokenize.NL, tokenize.COMMENT):
            before = token.type
    for line, name in _names(ast.parse(source)):
        yield from _in(place, line, TESTS if name.startswith("test_") else NAMES, _split(name), name)


def _names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.alias(asname=str() as name):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name


def _in(place: str, line: int, kind: str, text: str, shown: str = "") -> Iterator[Finding]:
    text = _URL.sub("", text)
    for word, pattern, fine in _PATTERNS:
        if kind in word.scope:
            kept = fine.sub(lambda found: " " * len(found[0]), text)
            for found in pattern.finditer(kept):
                at = line + kept.count("\n", 0, found.start())
                yield Finding(f"{place}:{at}", shown or " ".join(found[0].split()), word.instead)


def _split(name: str) -> str:
    return " ".join(_WORD.findall(name)).lower()


def _pattern(words: str) -> re.Pattern[str]:
    spaced = words.replace(" ", r"\s+")
    return re.compile(rf"\b(?:{spaced})\b", re.IGNORECASE)


_PATTERNS = [(word, _pattern(word.pattern), _pattern(word.fine or "(?!)")) for word in WORDS]


if __name__ == "__main__":
    lines = [f"{finding}\n" for finding in findings()]
    sys.stdout.writelines(lines)
    sys.exit(bool(lines))
