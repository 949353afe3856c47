"""The data folder of a demo: each begins with an empty hub, and deletes only what a demo made."""

import shutil
from collections.abc import Callable

from hub.errors import AlreadyRunningError, ForeignDataError
from hub.local import datafolder
from hub.settings import Settings

VALUABLE = ("postgres", "kafka", "dagster")
"""Parts of the folder that hold data; keys and logs alone are no hub yet."""


def fresh_folder(settings: Settings, say: Callable[[str], None]) -> None:
    """Begin with an empty hub: the data of an earlier demo are deleted, any other are refused.

    `hub up` takes the mark away: what it has run on is somebody's hub. Servers given by URL are
    taken as they are.
    """
    folder, mark = settings.data_dir, datafolder.demo_mark(settings)
    if any((folder / name).exists() for name in VALUABLE):
        if not mark.exists():
            raise ForeignDataError(
                "the data folder holds a hub that no demo made; a demo begins with an empty one",
                where=str(folder),
                mend="set HUB_DATA_DIR to another folder (and HUB_PORT_BASE, if that hub runs)",
            )
        if datafolder.is_running(settings):
            raise AlreadyRunningError(where=str(folder), mend="`hub down` stops it")
        say("deleting what an earlier demo left")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text("`hub demo` deletes this folder when it starts again\n", encoding="utf-8")
