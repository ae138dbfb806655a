"""The built-in engine: a llama.cpp server that lokal starts, watches and ends.

`engine.Engine` is the process, `embedded.EmbeddedServer` the server that the rest of lokal asks, which starts it again
when it has died. `child_process` is a script that runs beside lokal, so that no engine is left behind; it is started by
its path, by `supervisor`, and imports only the standard library. `socket_folder` and `port_listener` keep other users of the machine out,
`gguf_file` looks into a model file, `machine` says what there is to compute with, `health_check`, `engine_log` and
`exit_cause` say how the engine is. `packaged_model` finds the model that can be installed with pip;
`slots` and `slot_files` keep chats that were left warm.
"""
