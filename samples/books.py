"""A channel's own books, in one SQLite file: its orders, accounts, what it still has to tell the
hub, and what the hub told it. The hub's truth is not here but for the copy of stock it was told.
"""

import json
import sqlite3
from pathlib import Path
from typing import Any

TOLD_MAX = 200
"""So many of the hub's messages are kept to look at; their ids are kept all."""
SCHEMA = """
create table if not exists notes (name text primary key, value text not null);
create table if not exists orders (number text primary key, account text, content text not null);
create table if not exists accounts (
    token text primary key, account text not null, content text not null
);
create table if not exists untold (
    seq integer primary key autoincrement, event text not null, refused text
);
create table if not exists heard (
    seq integer primary key autoincrement, id text unique, event text
);
create table if not exists stock (
    sku text, place text, available text not null, version integer not null,
    primary key (sku, place)
);
"""
Content = dict[str, Any]


class Books:
    """The books of one channel. Each change is whole and on disk when its call returns."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(file, isolation_level=None)
        self._db.executescript("pragma journal_mode = wal;" + SCHEMA)

    def close(self) -> None:
        """End the connection."""
        self._db.close()

    def note(self, name: str, value: Any) -> None:
        """Keep a value by its name."""
        self._db.execute("insert or replace into notes values (?, ?)", (name, json.dumps(value)))

    def noted(self, name: str) -> Any:
        """A value that was kept, None without."""
        row = self._db.execute("select value from notes where name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def next_number(self) -> int:
        """1, 2, 3, …: never the same again."""
        sql = (
            "insert into notes values ('number', '1')"
            " on conflict (name) do update set value = cast(value as integer) + 1 returning value"
        )
        return int(self._db.execute(sql).fetchall()[0][0])

    def keep_order(self, order: Content, events: list[Content] | None = None) -> None:
        """An order as it is now, and what that means for the hub: both or neither."""
        row = (order["number"], order.get("account"), _text(order))
        with _Whole(self._db):
            self._db.execute("insert or replace into orders values (?, ?, ?)", row)
            self._tell(events or [])

    def order(self, number: str) -> Content | None:
        """One of this channel's own orders."""
        sql = "select content from orders where number = ?"
        row = self._db.execute(sql, (number,)).fetchone()
        return None if row is None else json.loads(row[0])

    def orders(self) -> list[Content]:
        """This channel's own orders, the newest first."""
        rows = self._db.execute("select content from orders order by rowid desc limit 100")
        return [json.loads(row[0]) for row in rows]

    def sold(self, after: str, limit: int) -> list[Content]:
        """The orders that were paid for, by number, from the one after `after` on."""
        sql = (
            "select content from orders where number > ? and content ->> 'state' != 'cancelled'"
            " and content ->> 'state' != 'held' order by number limit ?"
        )
        return [json.loads(row[0]) for row in self._db.execute(sql, (after, limit))]

    def keep_account(self, token: str, account: Content) -> None:
        """Who is logged in by this token."""
        row = (token, account["account"], _text(account))
        self._db.execute("insert or replace into accounts values (?, ?, ?)", row)

    def account(self, token: str) -> Content | None:
        """Who this is."""
        sql = "select content from accounts where token = ?"
        row = self._db.execute(sql, (token,)).fetchone()
        return None if row is None else json.loads(row[0])

    def forget(self, account: str) -> None:
        """Nobody is logged in as this account any more."""
        self._db.execute("delete from accounts where account = ?", (account,))

    def tell(self, events: list[Content]) -> None:
        """The hub is to hear of this."""
        with _Whole(self._db):
            self._tell(events)

    def untold(self, limit: int) -> list[tuple[int, bytes]]:
        """What the hub has not heard yet, the oldest first."""
        sql = "select seq, event from untold where refused is null order by seq limit ?"
        return [(seq, event.encode()) for seq, event in self._db.execute(sql, (limit,))]

    def told(self, seqs: list[int]) -> None:
        """The hub has these."""
        with _Whole(self._db):
            self._db.executemany("delete from untold where seq = ?", [(seq,) for seq in seqs])

    def refused(self, seq: int, reason: str) -> None:
        """The hub will never take this one: it stays, for a person to look at."""
        self._db.execute("update untold set refused = ? where seq = ?", (reason, seq))

    def refusals(self) -> list[Content]:
        """What the hub refused, and why."""
        rows = self._db.execute("select event, refused from untold where refused is not null")
        return [json.loads(event) | {"refused": refused} for event, refused in rows]

    def hear(self, message_id: str, event: Content) -> bool:
        """Keep a message of the hub; False if it was heard before."""
        sql = "insert or ignore into heard (id, event) values (?, ?)"
        with _Whole(self._db):
            if self._db.execute(sql, (message_id, _text(event))).rowcount == 0:
                return False
            old = "update heard set event = null where seq <= (select max(seq) from heard) - ?"
            self._db.execute(old, (TOLD_MAX,))
            if event["type"] == "stock.changed":
                self._keep_stock(event["data"])
        return True

    def heard(self) -> list[Content]:
        """What the hub told, the newest first."""
        rows = self._db.execute(
            "select event from heard where event is not null order by seq desc limit ?",
            (TOLD_MAX,),
        )
        return [json.loads(row[0]) for row in rows]

    def stock(self) -> list[Content]:
        """The stock of each item and place, as last told."""
        rows = self._db.execute("select sku, place, available from stock")
        return [{"sku": sku, "place": place, "available": left} for sku, place, left in rows]

    def _keep_stock(self, position: Content) -> None:
        """The newest counts, in whatever order messages come."""
        row = [position[name] for name in ("sku", "place", "available")]
        self._db.execute(
            "insert into stock values (?, ?, ?, ?) on conflict (sku, place) do update"
            " set available = excluded.available, version = excluded.version"
            " where excluded.version > stock.version",
            [*row, int(position["version"])],
        )

    def _tell(self, events: list[Content]) -> None:
        rows = [(_text(event),) for event in events]
        self._db.executemany("insert into untold (event) values (?)", rows)


class _Whole:
    """All that happens within, or none of it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("begin immediate")

    def __exit__(self, fault: type[BaseException] | None, *_: object) -> None:
        self._db.execute("commit" if fault is None else "rollback")


def _text(content: Content) -> str:
    return json.dumps(content, ensure_ascii=False)
