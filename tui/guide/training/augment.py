"""Questions as people really type them, made from those of the source: other openings, fillers, typing errors, letters
without their marks. All of it works on normalised text."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence

from tui.guide.training.source import normalise

_OPENINGS = (
    ("how do i", "how can i", "how to", "how does one", "how would i", "is there a way to", "can i", "i want to",
     "id like to", "what is the way to", "tell me how to", "show me how to", "help me", "how could i", "need to",
     "i need to", "how do you"),
    ("what is", "whats", "what s", "explain", "tell me about", "describe", "what does it mean", "what is meant by", "define",
     "meaning of", "what are", "can you explain", "could you explain", "please explain"),
    ("what does", "explain what", "tell me what", "so what does", "and what does"),
    ("which", "what"),
    ("why does", "why is it that", "how come"),
    ("where is", "where are", "where do i find", "wheres"),
)  # fmt: skip
_BEFORE = {
    "en": ("please", "hey", "hi", "hello", "ok", "so", "um", "quick question", "can you tell me", "tell me", "excuse me",
           "i wonder", "just wondering", "in lokal", "sorry", "well", "and", "also", "one more thing", "now",
           "do you know", "could you tell me"),
    "ru": ("пожалуйста", "привет", "скажи", "подскажи", "а", "слушай", "ну", "скажите пожалуйста", "в lokal", "так"),
    "pl": ("proszę", "hej", "cześć", "powiedz", "powiedz mi", "a", "słuchaj", "no", "w lokal", "przepraszam"),
    "vi": ("xin hỏi", "cho hỏi", "bạn ơi", "làm ơn", "này", "à", "cho mình hỏi", "trong lokal", "ơi", "vậy"),
    "uz": ("iltimos", "salom", "ayting", "menga ayting", "xo'sh", "ayt", "lokal da", "kechirasiz", "unda", "bilmoqchi edim"),
}  # fmt: skip
_AFTER = {
    "en": ("please", "in lokal", "here", "thanks", "exactly", "then", "now", "in this program", "again", "really", "pls",
           "in this app", "for me"),
    "ru": ("пожалуйста", "в lokal", "здесь", "тут", "вообще", "спасибо"),
    "pl": ("proszę", "w lokal", "tutaj", "tu", "właściwie", "dzięki"),
    "vi": ("vậy", "với", "ạ", "nhỉ", "trong lokal", "thế", "được không"),
    "uz": ("iltimos", "lokal da", "bu yerda", "rahmat", "aytib bering", "o'zi"),
}  # fmt: skip
_SYNONYMS = (
    ("change", "alter", "modify", "adjust"), ("show", "display", "view"), ("remove", "delete", "erase"),
    ("abort", "cancel", "halt", "interrupt"), ("answer", "reply", "response"), ("answers", "replies", "responses"),
    ("chat", "conversation"), ("chats", "conversations"), ("shortcut", "hotkey", "key"), ("fast", "quick"), ("make", "create"),
    ("begin", "start"), ("large", "big", "huge"), ("small", "little", "tiny"), ("lokal", "this program", "this app"),
    ("need", "require"), ("wrong", "incorrect"), ("pick", "choose", "select"), ("machine", "computer", "box"),
    ("graphics card", "gpu"), ("memory", "ram"), ("happens", "goes on"), ("broken", "damaged"), ("folder", "directory"),
    ("program", "app", "application"), ("screen", "display"), ("error", "failure"), ("work", "function"), ("type", "write", "enter"),
    ("use", "try"), ("best", "recommended", "right"), ("good", "sensible"), ("option", "setting"), ("options", "settings"),
    ("see", "find", "look at"), ("too", "very"), ("several", "many", "multiple"), ("difference", "distinction"),
)  # fmt: skip
_SAME = {word: group for group in _SYNONYMS for word in group if " " not in word}
_NEAR = {
    "q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok", "o": "ipl",
    "p": "ol", "a": "sqz", "s": "adwx", "d": "sfec", "f": "dgrv", "g": "fhtb", "h": "gjyn", "j": "hkum", "k": "jlim",
    "l": "kop", "z": "xas", "x": "zcsd", "c": "xvdf", "v": "cbfg", "b": "vngh", "n": "bmhj", "m": "nkj",
}  # fmt: skip
_SMALL = frozenset(
    [
        "a",
        "an",
        "the",
        "is",
        "are",
        "do",
        "does",
        "i",
        "to",
        "of",
        "in",
        "it",
        "my",
        "for",
        "on",
        "at",
        "can",
        "you",
        "me",
        "please",
        "that",
        "this",
    ]
)
_SIGNS = "🙂😀👍🎉❤🔥🤔😂🚀✨💡😭🙏👀🐍☕→←↑↓✓✗•…%$@&+~^§°±²€£¥\x1b\x07\u202e\u200b\u2028\ufffd"
_WITHOUT_MARKS = str.maketrans("łŁđĐøØıʻʼ", "lLdDoOi''")


def typo(word: str, chance: random.Random) -> str:
    """The word with one typing error: two letters swapped, one lost, doubled, or hit beside. Short words are left."""
    if len(word) < 3:
        return word
    place = chance.randrange(len(word))
    letter = word[place]
    kind = chance.randrange(4)
    if kind == 0 and place + 1 < len(word):
        return word[:place] + word[place + 1] + letter + word[place + 2 :]
    if kind == 1:
        return word[:place] + word[place + 1 :]
    if kind == 2:
        return word[:place] + letter + word[place:]
    near = _NEAR.get(letter)
    beside = (
        chance.choice(near) if near else chance.choice("аеионтслвр" if "а" <= letter <= "я" else "aeionrst")
    )
    return word[:place] + beside + word[place + 1 :]


def one_typo(question: str, chance: random.Random) -> str:
    """The question with a typing error in one of its longer words."""
    words = question.split(" ")
    long = [place for place, word in enumerate(words) if len(word) >= 4] or list(range(len(words)))
    place = chance.choice(long)
    words[place] = typo(words[place], chance)
    return " ".join(words)


def without_marks(text: str) -> str:
    """The text as it is typed on a keyboard without the language's letters."""
    split = unicodedata.normalize("NFD", text.translate(_WITHOUT_MARKS))
    return "".join(mark for mark in split if not unicodedata.combining(mark))


def vary(question: str, language: str, chance: random.Random) -> str:
    """One of the ways in which the question could have been typed."""
    text = normalise(question)
    if chance.random() < 0.7:
        text = text.lower()
    if language == "en" and chance.random() < 0.3:
        text = _other_opening(text, chance)
    if chance.random() < 0.12:
        text = f"{normalise(chance.choice(_BEFORE[language]))} {text}"
    if chance.random() < 0.12:
        text = f"{text} {normalise(chance.choice(_AFTER[language]))}"
    words = text.split(" ")
    if language == "en" and chance.random() < 0.2:
        places = [place for place, word in enumerate(words) if word in _SAME]
        if places:
            place = chance.choice(places)
            words[place] = chance.choice(_SAME[words[place]])
    if len(words) > 3 and chance.random() < 0.25:
        small = [place for place, word in enumerate(words) if word in _SMALL]
        if small:
            del words[chance.choice(small)]
    if len(words) > 4 and chance.random() < 0.08:
        del words[chance.randrange(len(words))]
    if len(words) > 2 and chance.random() < 0.06:
        place = chance.randrange(len(words) - 1)
        words[place], words[place + 1] = words[place + 1], words[place]
    text = " ".join(words)
    if language in ("pl", "vi") and chance.random() < 0.35:
        text = without_marks(text)
    dice = chance.random()
    if dice < 0.36:
        text = one_typo(text, chance)
    elif dice < 0.42:
        text = one_typo(one_typo(text, chance), chance)
    return text


def odd(chance: random.Random, phrasings: Sequence[str]) -> str:
    """What is no question at all: signs, hammered keys, one word over and over, or many `phrasings` in one."""
    kind = chance.randrange(5)
    if kind == 0:
        text = "".join(chance.choice(_SIGNS) * chance.choice((1, 1, 3)) for _ in range(chance.randint(1, 6)))
    elif kind == 1:
        letters = "abcdefghijklmnopqrstuvwxyz" if chance.random() < 0.7 else "asdfghjkl"
        text = " ".join(
            "".join(chance.choice(letters) for _ in range(chance.randint(3, 16)))
            for _ in range(chance.randint(1, 8))
        )
    elif kind == 2:
        piece = chance.choice((chance.choice("abcdexyz019"), "ab", "bla", "test", *phrasings[:1]))
        text = (piece + chance.choice((" ", ""))) * chance.randint(3, 80)
    elif kind == 3:
        text = " ".join(
            str(chance.randrange(10 ** chance.randint(1, 9))) for _ in range(chance.randint(1, 12))
        )
    else:
        text = " ".join(phrasings)
    return normalise(text)


def _other_opening(text: str, chance: random.Random) -> str:
    for group in _OPENINGS:
        for opening in group:
            if text.startswith(opening + " "):
                return chance.choice(group) + text[len(opening) :]
    return text
