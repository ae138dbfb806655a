"""What language a question is in, and whether it is about lokal."""

from __future__ import annotations

import pytest

from tui.core.language import NAMES, OTHER, about_lokal, other_language

ENGLISH = [
    "What is a systemd unit?",
    "Why does nginx answer 502 after a deploy?",
    "hi",
    "Hello!",
    "2+2?",
    "",
    "?",
    "🙂",
    "Write a haiku about the sea.",
    "write a long story about a lighthouse keeper",
    "Explain the difference between TCP and UDP",
    "What does naïve mean?",
    "Where is the best café in Zürich?",
    "Who was Gödel, and what did he prove?",
    "Tell me about Łódź and Kraków",
    "What does the Polish word „zażółć” mean?",
    "Translate 'good morning' to Russian",
    "How do you say привет in English?",
    "SELECT * FROM users WHERE id = 1;",
    "for i in range(10): print(i)",
    "ls -la /etc/hosts",
    "Segmentation fault (core dumped)",
    "Traceback (most recent call last): KeyError: 'name'",
    "fix this: ```\nсообщение = 'привет, как дела у тебя сегодня'\n```",
    "top_k",
    "Docker",
    "rust",
    "git rebase --onto main",
    "Summarize https://ru.wikipedia.org/wiki/Заглавная_страница please",
    "How do I die in this game?",
    "I was on a bus",
]

OTHERS = [
    ("ru", "Как прочитать файл построчно?"),
    ("ru", "привет"),
    ("ru", "Что делает systemctl restart nginx?"),
    ("ru", "напиши скрипт на Python"),
    ("uk", "Що таке ядро операційної системи і навіщо воно?"),
    ("uz", "Қандай қилиб файлни ўқийман?"),
    ("pl", "Jak przeczytać plik wiersz po wierszu?"),
    ("pl", "Co to jest kontener?"),
    ("pl", "napisz mi skrypt, ktory kopiuje pliki"),
    ("pl", "Dlaczego niebo jest niebieskie?"),
    ("pl", "Cześć!"),
    ("pl", "Wyjaśnij różnicę"),
    ("uz", "Faylni qanday o‘qish mumkin?"),
    ("uz", "Salom, bu nima?"),
    ("uz", "Til modeli nima va u qanday ishlaydi?"),
    ("uz", "Menga o'zbek tilida yozing"),
    ("vi", "Làm thế nào để đọc một tệp theo từng dòng?"),
    ("vi", "Xin chào"),
    ("vi", "lam sao de viet mot bai tho"),
    ("vi", "Tại sao bầu trời màu xanh?"),
    ("de", "Wie lese ich eine Datei Zeile für Zeile?"),
    ("de", "Was ist ein Container und wie geht das?"),
    ("de", "Schreibe bitte ein Gedicht über das Meer"),
    ("de", "Hallo"),
    ("fr", "Pourquoi le ciel est bleu ?"),
    ("fr", "Comment lire un fichier ligne par ligne avec Python ? Explique moi"),
    ("fr", "Bonjour"),
    ("fr", "Qu’est-ce que c’est que le noyau ?"),
    ("es", "¿Cómo leo un archivo línea por línea?"),
    ("es", "Hola"),
    ("es", "Explica la diferencia entre TCP y UDP"),
    ("es", "escribe un poema para mi madre"),
    ("zh", "如何逐行读取文件？"),
    ("ja", "ファイルを一行ずつ読むには？"),
    ("ko", "파일을 한 줄씩 읽는 방법은?"),
    ("ar", "كيف أقرأ ملفا؟"),
    ("he", "איך קוראים קובץ?"),
    ("el", "Πώς διαβάζω ένα αρχείο;"),
    ("hi", "फ़ाइल कैसे पढ़ें?"),
    ("th", "อ่านไฟล์อย่างไร"),
    (OTHER, "Dosyayı satır satır nasıl okurum? İyi günler, çoğu şey"),
]

ABOUT = [
    "What is lokal?",
    "How do I use Lokal with Ollama?",
    "How do I quit lokal?",
    "lokal ask --json: what does it print?",
    "what does `lokal doctor` show",
    "What does /preset do?",
    "How does this program keep my chats?",
    "What can this app do?",
    "Which key stops the answer?",
    "what shortcut opens the list of chats",
    "Что такое lokal?",
    "Как выйти из lokal?",
    "Что умеет эта программа?",
    "Какая клавиша останавливает ответ?",
    "Co robi lokal doctor?",
    "Jak działa ten program?",
    "Bu dastur nima qiladi?",
    "Chương trình này làm gì?",
    "lokal là gì?",
]

NOT_ABOUT = [
    "What is a local variable?",
    "Which key opens a file in vim?",
    "How do I quit vim?",
    "Ile kosztuje lokal w centrum?",
    "Wie installiere ich ein Modell lokal?",
    "cd /etc/lokal.d/ and list it",
    "What is in /model/data?",
    "Why does nginx answer 502?",
    "программа телепередач",
    "",
    "localhost",
    "lokalise",
]


@pytest.mark.parametrize("question", ENGLISH)
def test_english_and_what_is_no_language_are_left_alone(question: str) -> None:
    assert other_language(question) is None


@pytest.mark.parametrize(("code", "question"), OTHERS)
def test_another_language_is_told(code: str, question: str) -> None:
    assert other_language(question) == code
    assert code == OTHER or NAMES[code].istitle()


@pytest.mark.parametrize("question", ABOUT)
def test_a_question_about_lokal_is_told(question: str) -> None:
    assert about_lokal(question)


@pytest.mark.parametrize("question", NOT_ABOUT)
def test_another_question_is_not_about_lokal(question: str) -> None:
    assert not about_lokal(question)


def test_a_long_text_takes_no_longer_than_its_beginning() -> None:
    assert other_language("Привет, как дела? " * 100_000) == "ru"
    assert not about_lokal("a" * 5_000_000 + " lokal")
