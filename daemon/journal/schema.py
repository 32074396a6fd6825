"""The journal's tables, and how an older journal becomes one of today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mattebox.daemon.journal.database import Database

# Each step turns a journal of one version into one of the next; what was released is never edited.
_STEPS: Final = (
    (
        (
            "CREATE TABLE jobs (id TEXT PRIMARY KEY, folder TEXT NOT NULL, rule TEXT NOT NULL,"
            " source BLOB NOT NULL, work BLOB NOT NULL, identity TEXT NOT NULL, state TEXT NOT NULL,"
            " phase TEXT NOT NULL, attempts INTEGER NOT NULL, plan TEXT NOT NULL, report TEXT, reason TEXT,"
            " sha256 TEXT, created REAL NOT NULL, updated REAL NOT NULL)"
        ),
        "CREATE INDEX jobs_by_state ON jobs (state, updated)",
        "CREATE INDEX jobs_by_content ON jobs (folder, sha256) WHERE sha256 IS NOT NULL",
        (
            "CREATE TABLE placements (job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,"
            " kind TEXT NOT NULL, number INTEGER NOT NULL, staged BLOB NOT NULL, wished BLOB NOT NULL,"
            " final BLOB, candidate INTEGER NOT NULL, state TEXT NOT NULL, size INTEGER, sha256 TEXT,"
            " PRIMARY KEY (job, kind, number))"
        ),
        (
            "CREATE TABLE ledger (folder TEXT NOT NULL, rule TEXT NOT NULL, content TEXT NOT NULL,"
            " device TEXT NOT NULL, path BLOB NOT NULL, job TEXT NOT NULL,"
            " PRIMARY KEY (folder, rule, content, device, path))"
        ),
        (
            "CREATE TABLE looks (folder TEXT NOT NULL, content TEXT NOT NULL, count INTEGER NOT NULL,"
            " PRIMARY KEY (folder, content))"
        ),
        (
            "CREATE TABLE contents (folder TEXT NOT NULL, sha256 TEXT NOT NULL, job TEXT NOT NULL,"
            " PRIMARY KEY (folder, sha256))"
        ),
        "CREATE TABLE roots (path BLOB PRIMARY KEY)",
    ),
    (
        # The state that somebody has still to be told of.
        "ALTER TABLE jobs ADD COLUMN owed TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX jobs_owed ON jobs (owed) WHERE owed != ''",
        # How many endings a folder's batch has, while nobody was told that it is finished.
        "CREATE TABLE batches (folder TEXT PRIMARY KEY, count INTEGER NOT NULL)",
    ),
    (
        # Inodes are used again: the time of the last change and the content tell files apart.
        "ALTER TABLE ledger ADD COLUMN ctime TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE ledger ADD COLUMN sha256 TEXT NOT NULL DEFAULT ''",
        # Until when an original that has ended is watched for a late change, and what was done again.
        (
            "CREATE TABLE late_looks (job TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,"
            " until REAL NOT NULL)"
        ),
        "CREATE TABLE late_changes (folder TEXT NOT NULL, path BLOB NOT NULL, time REAL NOT NULL)",
    ),
    (
        # What was decided at the light table, and what each step of it was before.
        (
            "CREATE TABLE decisions (job TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,"
            " verdict TEXT NOT NULL, settings TEXT NOT NULL, matte BLOB, sent INTEGER NOT NULL,"
            " time REAL NOT NULL)"
        ),
        "CREATE INDEX decisions_sent ON decisions (sent)",
        (
            "CREATE TABLE decision_steps (step INTEGER NOT NULL,"
            " job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, before TEXT,"
            " PRIMARY KEY (step, job))"
        ),
        # Where a companion comes from, and which job a late one belongs to.
        "ALTER TABLE placements ADD COLUMN source BLOB",
        "CREATE INDEX jobs_by_source ON jobs (folder, source)",
        # What was drawn at random to be looked at, from which seed, and what a person said of it (0, 1).
        (
            "CREATE TABLE drawings (folder TEXT NOT NULL, wave INTEGER NOT NULL, seed TEXT NOT NULL,"
            " share REAL NOT NULL, surety REAL NOT NULL, PRIMARY KEY (folder, wave))"
        ),
        (
            "CREATE TABLE drawn (job TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,"
            " folder TEXT NOT NULL, wave INTEGER NOT NULL, confidence REAL NOT NULL, found INTEGER)"
        ),
        "CREATE INDEX drawn_by_folder ON drawn (folder)",
    ),
)
VERSION: Final = len(_STEPS)


def bring_up_to_date(database: Database) -> bool:
    """Make what is missing, in one transaction; False where the journal comes from a newer program.

    Raises JournalError.
    """
    version = _version(database)
    if version < VERSION:
        database.execute("BEGIN IMMEDIATE")
        # Another process may have been quicker.
        version = _version(database)
        for number in range(version, VERSION):
            for statement in _STEPS[number]:
                database.execute(statement)
        # A pragma takes no bound value; this one is a count of ours.
        database.execute(f"PRAGMA user_version = {max(version, VERSION)}")
        database.execute("COMMIT")
    return version <= VERSION


def _version(database: Database) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])
