"""Keeps the registries of dropped databases for the next copies of the same original.

Odoo takes seconds of CPU time to load a registry, and test modules make a copy of one template
each. A registry that is as it was loaded fits any of these copies. PostgreSQL copies the files.
"""

import gc
import os
import shutil
import threading
from collections import defaultdict
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from odoo import sql_db
from odoo.modules.registry import Registry
from odoo.service import db
from odoo.tools import config

_duplicate, _drop, _load, _sql = db.exp_duplicate_database, db.exp_drop, Registry.new, db.SQL
_WITH_STRATEGIES = 150_000  # PostgreSQL 15
_copies: dict[str, tuple[str, Registry, int]] = {}
"""Original, registry and the registry's sequence by copy."""
_spare: defaultdict[str, list[Registry]] = defaultdict(list)
"""By original."""
_waiting: dict[str, Registry] = {}
"""By the copy that is to have it."""


def duplicate(original: str, name: str, neutralize_database: bool = False) -> bool:  # noqa: FBT001, FBT002
    """Copy a database, with a registry of an earlier copy if there is one.

    The files of both are the same, which Odoo names by their contents and never changes.
    """
    files, copied = Path(config.filestore(original)), Path(config.filestore(name))
    if files.exists() and not copied.exists():
        shutil.copytree(files, copied, copy_function=os.link)
    if _spare[original]:
        _waiting[name] = _spare[original].pop()
    try:
        done: bool = _duplicate(original, name, neutralize_database)
    finally:
        _waiting.pop(name, None)
    registry = Registry(name)
    _copies[name] = (original, registry, registry.registry_sequence)
    return done


def sql(code: str, *arguments: Any) -> Any:
    """Copy databases file by file: block by block takes PostgreSQL three times the CPU time."""
    by_files = code.startswith("CREATE DATABASE") and _has_strategies()
    return _sql(f"{code} STRATEGY file_copy" if by_files else code, *arguments)


@cache
def _has_strategies() -> bool:
    """Older ones always copy file by file."""
    with closing(sql_db.db_connect("postgres").cursor()) as cursor:
        newer: bool = cursor.connection.server_version >= _WITH_STRATEGIES
    return newer


def drop(name: str) -> bool:
    """Drop a database, and keep its registry unless modules, models or fields have changed."""
    registry = Registry.registries.get(name)
    _spare.pop(name, None)
    original, copied, sequence = _copies.pop(name, ("", None, 0))
    done: bool = _drop(name)
    if registry is not None and registry is copied and registry.registry_sequence == sequence:
        _spare[original].append(registry)
    return done


def load(_: type[Registry], name: str, **options: Any) -> Registry:
    """Take the spare registry that waits for a copy, or load one."""
    if registry := _waiting.pop(name, None):
        _bind(registry, name)
        return registry
    registry = _load(name, **options)
    gc.collect()
    gc.freeze()  # it stays: look at it no more
    return registry


def _bind(registry: Registry, name: str) -> None:
    registry.clear_all_caches()
    registry._invalidation_flags = threading.local()  # noqa: SLF001
    registry._ordinary_tables = None  # noqa: SLF001
    registry._db = sql_db.db_connect(name)  # noqa: SLF001
    registry.db_name = name
    registry.setup_signaling()
    Registry.registries[name] = registry


def keep() -> None:
    """Put these functions in place of Odoo's."""
    db.exp_duplicate_database, db.exp_drop, db.SQL = duplicate, drop, sql
    Registry.new = classmethod(load)
