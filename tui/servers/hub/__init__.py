"""Hugging Face's hub, or one like it: what repositories have, the header of a file, and downloads. lokal asks it only at the
person's word.

Begin with `hub_client.HubClient`; `hub_download` puts a file on the disk; `hub_access` is where the hub is and who asks.
"""
