"""Mutations of what makes backups few, and of what keeps a restore from losing anything."""

from tests.mutations.mutation import Mutation

_BACKUP = "llmgine/sessions/backup.py"
_FOLDER = "llmgine/sessions/backup_folder.py"
_RESTORE = "llmgine/sessions/sqlite_restore.py"
_TESTS = "tests/llmgine/sessions"

MUTATIONS = (
    Mutation(
        "one process making a backup at a time",
        _FOLDER,
        "if not alone or not self.is_due(least):",
        "if not self.is_due(least):",
        (f"{_TESTS}/test_backup.py::test_two_processes_make_one",),
    ),
    Mutation(
        "no backup of what is backed up already",
        _BACKUP,
        "repeat=False",
        "repeat=True",
        (f"{_TESTS}/test_backup.py::test_an_idle_hour_makes_none",),
    ),
    Mutation(
        "backups from the future not counting",
        _FOLDER,
        "if backup.taken <= self._now()]",
        "if backup.taken]",
        (f"{_TESTS}/test_backup_folder.py::test_a_clock_that_is_set_back",),
    ),
    Mutation(
        "a check of the whole backup before it is restored",
        _RESTORE,
        "PRAGMA integrity_check(1)",
        "PRAGMA quick_check(1)",
        (f"{_TESTS}/test_restore.py::test_what_is_no_good_copy_is_refused",),
    ),
    Mutation(
        "no restore under a program that has the database open",
        _RESTORE,
        "PRAGMA locking_mode=EXCLUSIVE",
        "PRAGMA locking_mode=NORMAL",
        (f"{_TESTS}/test_restore.py::test_one_that_is_open_is_refused",),
    ),
    Mutation(
        "the old log not being applied to a restored database",
        _RESTORE,
        'database.with_name(f"{database.name}{suffix}").unlink(missing_ok=True)',
        "pass",
        (f"{_TESTS}/test_restore.py::test_in_place_of_a_damaged_one",),
    ),
    Mutation(
        "the replaced database being kept",
        _RESTORE,
        "                    if there:\n",
        "                    if False:\n",
        (f"{_TESTS}/test_restore.py::test_the_copy_takes_its_place",),
    ),
)
