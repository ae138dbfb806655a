"""What language a question is in, and whether it is about lokal itself, as far as a few words tell.

A small English model answers other languages badly, and knows nothing of lokal. Both are told from the script, from letters
with diacritics and from function words, without a model: quickly, and wrong now and then. What is done with it may
therefore be no more than a line that can be passed over.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from tui.core.commands import BY_SLASH

NAMES = {
    "ar": "Arabic", "de": "German", "el": "Greek", "es": "Spanish", "fr": "French", "he": "Hebrew", "hi": "Hindi",
    "ja": "Japanese", "ko": "Korean", "pl": "Polish", "ru": "Russian", "th": "Thai", "uk": "Ukrainian", "uz": "Uzbek",
    "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
"""The English name of each language that is told from others, by its code; OTHER has none."""

OTHER = "other"
"""A language that is not English, and no more is known of it."""

_MOST = 2000
"""Characters that are looked at: the beginning says enough."""

_FENCED = re.compile(r"```.*?(```|\Z)|`[^`\n]*`", re.DOTALL)
_ADDRESS = re.compile(r"\w+://\S+|\S*[/\\@_]\S*|--?[\w-]+=?\S*")
_WORD = re.compile(r"[^\W\d_]+(?:['’ʻʼ‘`][^\W\d_]+)*['’ʻʼ‘]?")
_APOSTROPHES = re.compile("[’ʻʼ‘`]")

_SCRIPTS = {
    "CYRILLIC": "ru", "GREEK": "el", "ARABIC": "ar", "HEBREW": "he", "DEVANAGARI": "hi", "THAI": "th", "HIRAGANA": "ja",
    "KATAKANA": "ja", "HANGUL": "ko", "CJK": "zh",
}  # fmt: skip


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ENGLISH = _words(
    "the is are am was were be been what how why when where who which whose does do did done can could should would will"
    " shall may might must in of to and a an for with on my me i you your we our they their he she his her it its this that"
    " these those not or from by at as if into about then than so but all no yes there have has had get give tell write"
    " make list use using show find explain describe please hello hi hey thanks thank between difference mean means"
    " without some any more most much many one two let us i'm it's don't doesn't can't what's i'd you're translate"
    " summarize fix add create name define best good new only also just like vs versus"
)
# No word that is an English one too: `die`, `was`, `comment`, `pour`, `ten`, `to`, `no`, `on`.
_FUNCTION_WORDS = {
    "pl": _words(
        "jak co czy jest się sie nie dla dlaczego gdzie kiedy który która które ktory ktora mogę moge mam mi na po przez"
        " oraz lub że jestem proszę prosze cześć czesc dzień dzien dobry napisz wyjaśnij wyjasnij podaj zrób zrob ile kto"
        " tego tym jaki jaka jakie jakiego od przy są sa mój moj moje moja tylko jako bez może moze powiedz znaczy działa"
        " dziala robi robić zrobić polsku polski w z ze"
    ),
    "de": _words(
        "wie ist der das und ich nicht ein eine einen einem einer kann kannst mit für fuer warum wo wer wann welche"
        " welcher welches bitte schreibe schreib erkläre erklaere auf von zu sind mir mich es auch wird dem im zum zur über"
        " ueber hallo danke mein meine dir du gibt geht heißt heisst macht machen oder wenn als aus bei nach"
        " unterschied zwischen deutsch"
    ),
    "fr": _words(
        "le la les des est pourquoi quoi que quel quelle quels qui où je tu vous nous une un dans avec sur pas ne ce cette"
        " mon ma mes bonjour merci salut explique écris ecris peux fait faire être etre et du au aux il elle sont"
        " qu'est-ce c'est d'un d'une l'on comment-faire puis-je quelles donne moi français"
    ),
    "es": _words(
        "qué que cómo como por para el la los las una un es está esta en del cuál cual cuándo dónde donde quién porque hola"
        " gracias mi tu yo más mas pero este ser hacer puedo puede tiene explica escribe dime muy lo y al son cuánto"
        " entre diferencia español"
    ),
    "vi": _words(
        "là của không khong được duoc như nhu nào nao gì thế tôi toi bạn một mot các cac những nhung với voi làm lam sao"
        " hãy viết viet giải thích thich tại vì cho tôi và có khi nếu này đó ai đâu bao nhiêu nhieu hơn xin chào chao"
    ),
    "uz": _words(
        "qanday nima bu va uchun bilan men sen siz qayerda nega qachon haqida kerak mumkin qilish qilib salom rahmat yoki"
        " emas bor yo'q nimaga qancha menga tushuntir tushuntiring ayting yozing yoz bering qaysi kim necha"
        " bo'yicha bo'ladi o'zbek nimani qilaman qilinadi ishlaydi degani farqi orasida"
    ),
}  # fmt: skip
# Letters that tell a language, where it is written with them. Those that several share are in each.
_LETTERS = {
    "pl": frozenset("ąćęłńśźż"),
    "de": frozenset("äöüß"),
    "fr": frozenset("àâæçèêëîïôœùûÿ"),
    "es": frozenset("ñ¿¡áíóú"),
    "vi": frozenset("ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ"),
}


def other_language(question: str) -> str | None:
    """The code of the language that `question` is in, OTHER for one of which no more is known; None for English, and where
    nothing can be told, as of code or of a name."""
    text = _ADDRESS.sub(" ", _FENCED.sub(" ", question[:_MOST]))
    text = unicodedata.normalize("NFC", text).lower()
    words = [_APOSTROPHES.sub("'", word) for word in _WORD.findall(text)]
    english = sum(word in _ENGLISH for word in words)
    if (script := _script(text, least=1 / 3 if english else 0)) is not None:
        return script
    scores = {code: _score(code, words) for code in _FUNCTION_WORDS}
    scores["uz"] += sum("o'" in word or "g'" in word for word in words if len(word) > 2 and "'" in word[1:-1])
    best = max(scores, key=lambda code: scores[code])
    if scores[best] > english and (scores[best] >= 2 or (scores[best] >= 1 and len(words) <= 3)):
        return best
    strange = sum(not word.isascii() for word in words)
    return OTHER if strange >= 2 and strange > english else None


def _script(text: str, least: float) -> str | None:
    """The language of the script, other than Latin, that more than the share `least` of the letters belongs to, at least two
    of them; None where there is none."""
    counts: dict[str, int] = {}
    letters = 0
    for letter in text:
        if not letter.isalpha():
            continue
        letters += 1
        if ord(letter) > 0x24F:  # beyond Latin
            script = unicodedata.name(letter, "").partition(" ")[0]
            counts[script] = counts.get(script, 0) + 1
    foreign = {name: count for name, count in counts.items() if name not in ("LATIN", "MODIFIER")}
    if (others := sum(foreign.values())) < 2 or others < letters * least:
        return None
    if "HIRAGANA" in foreign or "KATAKANA" in foreign:
        return "ja"
    main = max(foreign, key=lambda name: foreign[name])
    if main == "CYRILLIC":
        return _cyrillic(text)
    return _SCRIPTS.get(main, OTHER)


def _cyrillic(text: str) -> str:
    if re.search("[ўқғҳ]", text):
        return "uz"
    return "uk" if re.search("[іїєґ]", text) else "ru"


def _score(code: str, words: Iterable[str]) -> float:
    """How much of `words` is of that language: 1 for a function word, 1 for a word with one of its letters."""
    known, letters = _FUNCTION_WORDS[code], _LETTERS.get(code, frozenset())
    return sum((word in known) + (not letters.isdisjoint(word)) for word in words)


_COMMAND_LINE = re.compile(r"\blokal\s+(ask|doctor|chats|presets|-{1,2}[a-z])", re.IGNORECASE)
_NAMED = re.compile(r"(?<![\w./-])lokal(?![\w/-]|\.\w)", re.IGNORECASE)
_SLASH = re.compile(r"(?<!\S)[`'\"“(]?/([a-z]+)(?![\w/.-])")
_THIS_PROGRAM = re.compile(
    r"\bthis (app|application|program|chat client|client|tool|terminal ui|tui|screen)\b"
    r"|эт(а|ой|у) программ\w*|это(м|го)? приложени\w*"
    r"|\b(ten|tego|tym) program\w*|\b(ta|tej|tę) aplikacj\w*"
    r"|\bbu (dastur|ilova)\w*"
    r"|(chương trình|ứng dụng|phần mềm) này",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"\b(which|what) (key|keys|shortcut|hotkey)\b|как(ая|ой|ие) клавиш\w*|\b(który|jaki) klawisz\w*|\bqaysi tugma\w*|phím nào",
    re.IGNORECASE,
)
_OF_A_CHAT = re.compile(
    r"\b(answer|answers|chat|chats|preset|presets|model|message|question|prompt)\b|ответ|чат|пресет|модел|odpowied|czat|preset"
    r"|javob|suhbat|câu trả lời|cuộc trò chuyện",
    re.IGNORECASE,
)
_OTHER_MEANING = frozenset({"pl", "de", "uz", OTHER})
"""Languages in which `lokal` is a word of its own, or may be."""


def about_lokal(question: str) -> bool:
    """Whether `question` seems to be about lokal itself: its name, one of its commands, this program, its keys."""
    text = unicodedata.normalize("NFC", question[:_MOST])
    if _COMMAND_LINE.search(text) or _THIS_PROGRAM.search(text):
        return True
    if any(name in BY_SLASH for name in _SLASH.findall(text)):
        return True
    if _KEY.search(text) and _OF_A_CHAT.search(text):
        return True
    return bool(_NAMED.search(text)) and other_language(text) not in _OTHER_MEANING
