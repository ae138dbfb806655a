"""From JSON to the socket and back. `http_client.HttpClient` makes requests to one server, `framing` cuts a stream into
records, and `pending_response` waits for an answer to begin. `transport`, `body` and `certificates` are httpx's side;
they are imported when a server is first asked, because httpx takes longer to load than the first frame.
"""
