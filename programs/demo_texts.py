"""The demo model's two fixed texts: what it can do, and an answer long enough to be split."""

HELP = """\
I'm the **offline demo model**. I don't understand language; I only know a few phrases. Each of these really calls \
a tool:

- `What's the weather like in San Francisco?`
- `Can you calculate 24*7 for me?`
- `Send an email to test@example.com with subject 'Hello' and body 'Testing the function calling capability'`
- a tool of your own, by its name and arguments: `call roll_dice sides=20`
- or several of these in one message

I can answer these without a tool: `What did I say first?` and `Show me a long answer`.

For a real model, set `OPENAI_API_KEY`, or `OPENAI_BASE_URL` for a service that needs no key (Ollama, vLLM, \
llama.cpp), and restart."""

LONG_ANSWER = """\
# A long answer

I'm the offline demo model, and this text is always the same. It shows what happens to an answer that does not fit \
into one message: it streams in, and when a message is full, the next one continues where it ended. Text that is \
already on the screen does not change while the answer grows.

## What to look at

1. The text appears in steps rather than letter by letter, because every step is an edit of a message, and Discord \
limits edits.
2. A message holds 2,000 characters. This answer has nearly twice as many, so it becomes several messages.
3. The program below is longer than one message. Its code block is closed at the end of a message and reopened, \
with its language, at the beginning of the next, so that every part is coloured as Python.
4. The last line of the last message, in small print, shows the model, the tokens and the time.

> A quotation, to see that it stays one, with **bold**, *italic* and `code` in it.

## The program

It counts how often each word occurs in a text, and draws the most frequent ones as bars.

```python
\"\"\"Count the words of a text and draw the most frequent ones as bars.\"\"\"

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

WORD = re.compile(r"[^\\W\\d_]+(?:['\u2019][^\\W\\d_]+)*")
COMMON = frozenset("a an and are as at be by for from in is it of on or that the to was with".split())


def words(lines: Iterable[str]) -> Iterator[str]:
    \"\"\"Every word of the lines, in lower case, in their order in the text.\"\"\"
    for line in lines:
        for match in WORD.finditer(line):
            yield match.group().casefold()


def count(lines: Iterable[str], *, skip: frozenset[str] = COMMON, shortest: int = 2) -> Counter[str]:
    \"\"\"How often each word occurs, without the words to skip and those that are too short.\"\"\"
    kept = (word for word in words(lines) if len(word) >= shortest and word not in skip)
    return Counter(kept)


def bars(counts: Counter[str], *, top: int = 10, width: int = 40) -> Iterator[str]:
    \"\"\"One line for each of the most frequent words: the word, a bar, and the number.\"\"\"
    best = counts.most_common(top)
    if not best:
        return
    longest = max(len(word) for word, _ in best)
    largest = best[0][1]
    for word, number in best:
        bar = "#" * max(1, round(width * number / largest))
        yield f"{word:>{longest}}  {bar} {number}"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="a text file (default: standard input)")
    parser.add_argument("--top", type=int, default=10, help="how many words to show (default: 10)")
    parser.add_argument("--width", type=int, default=40, help="length of the longest bar (default: 40)")
    parser.add_argument("--all", action="store_true", help="count very common words, too")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    lines = options.file.read_text(encoding="utf-8").splitlines() if options.file else sys.stdin
    skip = frozenset() if options.all else COMMON
    drawn = list(bars(count(lines, skip=skip), top=options.top, width=options.width))
    print("\\n".join(drawn) or "There is no word in this text.")
    return 0 if drawn else 1


if __name__ == "__main__":
    sys.exit(main())
```

## How it works

| part | what it does |
|---|---|
| `words` | finds the words, line by line, so that a large file is never held in memory as a whole |
| `count` | leaves out very common words and counts the rest |
| `bars` | scales the numbers so that the most frequent word fills the width |
| `main` | puts the three together, and says so when there is nothing to count |

Save it as `words.py` and try `python words.py README.md --top 5`. That is the end of the long answer; a real model \
would have written about what you asked."""
