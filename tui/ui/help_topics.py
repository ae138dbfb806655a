"""What the key page says at length, by topic, between its keys and its slash commands."""

from __future__ import annotations

TOPICS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "While an answer comes in, and what you have not sent",
        (
            "Enter puts a question in line. It is asked when the answer is whole, and after one that was stopped or "
            "failed only when you say so.",
            "What you have not sent is kept for each chat, also through a crash, with its files and the edits of messages "
            "that you have begun. It is never sent by itself.",
            "/attach FILE sends a text (UTF-8, up to 1 MB) or a picture (PNG, JPEG, WebP, GIF, up to 20 MB) with the "
            "question. Where something is written already, “Attach a file” in the palette asks for the name over it.",
        ),
    ),
    (
        "When a question does not fit",
        (
            "“ctx 1.2k of 8k” says how much of the context window is in use, “~1.2k” by estimate. Other programs and "
            "servers cut off the beginning of a conversation that has become too long, and say nothing. lokal sends "
            "nothing that would not fit, and lists what can be done: leave out the oldest questions, which stay in the "
            "chat, marked “not seen”; let the model write a summary of them first, which it sees in their place; a "
            "larger window, where one can be had (Ollama, the built-in engine); or do not ask: the text comes back.",
            "Until you go to the list you go on writing, and no letter chooses anything. llama.cpp, vLLM and "
            "text-generation-webui are asked to count. For Ollama and LM Studio the count is an estimate that learns "
            "from theirs, and you may ask anyway where the server is sure to refuse rather than to cut.",
        ),
    ),
    (
        "Comparing answers",
        (
            "/compare asks the open preset and the next one the last question again. “/compare technical "
            "creative@qwen2.5:7b: Why is the sky blue?” says who, and after a colon what; “technical on lab” asks "
            "another server, by its name in the config or its address.",
            "All answers are kept beside each other, whatever you do, each with its parameters; a column in which nothing "
            "came is none. What would not fit a column is asked about before anything is sent, and the others can be asked "
            "without it.",
        ),
    ),
    (
        "Answers as JSON",
        (
            "With /schema, or lokal ask --schema, the server itself is told to write nothing but JSON (Ollama, "
            "llama.cpp, LM Studio, vLLM), and lokal checks the whole answer: “fits invoice.json”, or where it does not "
            "(“at /items/2/price: a number is wanted, there is a string”). What of a schema lokal does not check, such "
            "as “format” and “pattern”, is named. The answer is shown indented and kept as it came.",
        ),
    ),
    (
        "The list of chats",
        (
            "It is beside the chat from 120 columns on. Enter on what was found opens the chat there, on the branch that "
            "has it, with the words marked until Esc. “zazolc net” finds what has both words, or words that begin so; "
            "words in quotation marks must follow each other; accents and capitals do not matter.",
            "A running answer goes on behind the list; opening another chat stops it, and keeps what came. A chat that "
            "another lokal deletes while it is open here goes on as a new one. What was deleted comes back for a day.",
        ),
    ),
    (
        "What is copied",
        (
            "It goes to this machine's clipboard where you sit at it (wl-copy, xclip, xsel, pbcopy), to tmux where it "
            "runs, and else to the terminal by OSC 52, which it may ignore; lokal says which way it went. The mouse is "
            "left to the terminal, so that text is selected and copied as everywhere else.",
        ),
    ),
    (
        "The guide",
        (
            "A model of 3 MB ships inside lokal and runs in the built-in engine. It answers questions about lokal, local "
            "models, servers and parameters, in English, Russian, Polish, Vietnamese and Uzbek, and says of everything "
            "else that it does not know it.",
        ),
    ),
)
"""A title, and its paragraphs."""
