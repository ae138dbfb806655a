"""Managing models without a screen: what the Models tab and `lokal models` stand on.

Begin with `pull_queue.PullQueue`, which downloads one model after the other; `pull.Pull` is one of them as it is shown, and
`pull_file` keeps them on the disk. `changes` says what a download has changed of a model that was there; `catalogue` has names to download.
"""
