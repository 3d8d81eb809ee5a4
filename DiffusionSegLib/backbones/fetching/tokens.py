"""Passwords for downloads: from the environment or the system's keyring, never from a file."""

from __future__ import annotations

import importlib
import os
from urllib.parse import urlsplit

__all__ = ["hub_token", "url_token"]

_SERVICE = "DiffusionSeg"
_HUB = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_HOSTS = "DIFFUSIONSEG_TOKENS"
_HERE = ("localhost", "127.0.0.1", "::1")


def hub_token() -> str | None:
    """Of the Hugging Face hub: HF_TOKEN, else the keyring's entry DiffusionSeg / huggingface.co."""
    found = next((os.environ[name] for name in _HUB if os.environ.get(name)), None)
    return found or _from_keyring("huggingface.co")


def url_token(url: str) -> str | None:
    """Of the address's host: DIFFUSIONSEG_TOKENS="host=token,host=token", else the keyring's entry
    DiffusionSeg / host. Never sent in the open, so only to https or this computer."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and host not in _HERE:
        return None
    pairs = (one.partition("=") for one in os.environ.get(_HOSTS, "").split(","))
    told = {name.strip().lower(): token.strip() for name, _, token in pairs}
    return told.get(host) or _from_keyring(host)


def _from_keyring(name: str) -> str | None:
    """None without the package keyring, and where the system has no keyring that works."""
    try:
        keyring = importlib.import_module("keyring")
        errors = importlib.import_module("keyring.errors")
    except ImportError:
        return None
    try:
        found = keyring.get_password(_SERVICE, name)
    except errors.KeyringError:
        return None
    return str(found) if found else None
