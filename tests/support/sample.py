"""A sample answer with everything that an answer may hold, in the five languages that our users read most.

Written for these tests. It feeds the bigram model and serves as a whole answer where a test wants a known one.
"""

from __future__ import annotations

MARKDOWN = """\
# Reading a file line by line

A **short** answer first: open the file, read *one line at a time*, and close it. The `with` statement closes it \
for you, even when an error comes in the middle. Do not read the whole file into memory; a log of 40 GB will not fit.

## In Python

```python
from pathlib import Path


def count_words(path: Path) -> dict[str, int]:
    counts: dict[str, int] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            for word in line.split():
                counts[word] = counts.get(word, 0) + 1
    return counts
```

## In the shell

```sh
sort words.txt | uniq -c | sort -rn | head -n 10
grep -c "error" /var/log/syslog
```

What to remember:

- name the encoding, **always**;
- split on white space, not on one blank;
  - a tab is white space too;
  - so is a line break;
- and *test* it with an empty file.

1. Write the test.
2. Watch it fail.
3. Make it pass.

| Way | Memory | Time |
|:----|-------:|:----:|
| `read()` | the whole file | 0.8 s |
| line by line | one line | 1.1 s |
| `mmap` | shared pages | 0.7 s |

> A program that is *fast and wrong* is only wrong.
> Measure it before you change it.

## По-русски

Модель отвечает **по словам**: каждое новое слово зависит от предыдущих. Если ответ *повторяется*, поднимите \
`repeat_penalty` до 1.15 и снизьте температуру. Длинный разговор занимает окно контекста, и начало забывается.

- низкая температура — точный ответ;
- высокая температура — живой ответ, но больше ошибок.

## Po polsku

Najpierw **zażółć gęślą jaźń**, potem sprawdź, czy każda litera dotarła. Model *nie pamięta* poprzedniej rozmowy, \
dopóki mu jej nie wyślesz. Ustaw `num_ctx` na 8192, jeśli masz dość pamięci, i zapytaj jeszcze raz.

## Tiếng Việt

Mô hình trả lời **từng từ một**. Khi câu trả lời *quá dài*, hãy giảm `max_tokens` hoặc hỏi ngắn hơn. \
Tiếng Việt có nhiều dấu: ă, â, đ, ê, ô, ơ, ư, và sáu thanh điệu như ma, má, mà, mả, mã, mạ.

## Oʻzbekcha

Model javobni **soʻzma-soʻz** yozadi. Agar javob *juda uzun* boʻlsa, `max_tokens` qiymatini kamaytiring. \
Oʻzbek tilida toʻgʻri apostrof muhim: oʻ va gʻ harflari, masalan: toʻgʻri, goʻzal, bogʻ.

More at <https://example.org/files>, in [the manual](https://example.org/manual "Manual") and under ~~old~~ new \
names. A plain 👍 closes it.
"""

THOUGHT = """\
The person asks how to read a file line by line. I should give the short answer first, then the code.
Let me check: `with` closes the file, and the encoding has to be named. A table compares the ways.
"""
