"""Talking to model servers, over httpx and without Textual. Nothing here loads httpx before a server is asked.

Begin with `base.Server`, what every server can be asked, and `profile.ServerProfile`, what is known of each kind.
`registry` lists the kinds, one line each; `kinds/` has a file for each. `detect` finds out what answers at an address,
and `connect` chooses the server and the model. `server_client` is the course of a question: it sends it through `http/`,
reads the records of the answer with an `answer.Answer`, and turns refusals into errors with `errors`. `engine/` is the
llama.cpp that lokal starts itself.
"""
