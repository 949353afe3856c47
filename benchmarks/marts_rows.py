"""Orders, members, points, coupons and stock by the million, written straight into schema hub.

Rows as the stream workers leave them, made by Postgres itself: what is measured is the warehouse.
"""

import psycopg

LINES_PER_ORDER = 2
ORDERS_PER_MEMBER = 40
ACCOUNTS_PER_MEMBER = 2
ITEMS = 2000
CATEGORIES = 40
PLACES = 50
FIRST_DAY = "2025-11-01 00:00+08"
DAYS = 365

_MEMBERS = """
    insert into hub.members (member_id, first_seen_at)
    select md5('member-' || m)::uuid, timestamptz '{day}' from generate_series({since}, {until}) m;
    insert into hub.profiles (profile_id, channel, account, member_id, first_seen_at)
    select md5('profile-' || m || '-' || a)::uuid, 'channel-' || a, 'account-' || m,
        md5('member-' || m)::uuid, timestamptz '{day}'
    from generate_series({since}, {until}) m, generate_series(1, {accounts}) a;
    insert into hub.member_links (link_id, profile_id, member_id, valid_from, reason, evidence,
        rule_version, event_key)
    select md5('link-' || m || '-' || a)::uuid, md5('profile-' || m || '-' || a)::uuid,
        md5('member-' || m)::uuid, timestamptz '{day}', 'same_phone', '{{}}', 'identity-1',
        md5('event-' || m)::uuid
    from generate_series({since}, {until}) m, generate_series(1, {accounts}) a;
    insert into hub.points_accounts (profile_id, issued_points, spent_points, expired_points,
        reversed_points, pending_points, held_points, open_points, debt_points)
    select md5('profile-' || m || '-' || a)::uuid, {points}, 0, 0, 0, 0, 0, {points}, 0
    from generate_series({since}, {until}) m, generate_series(1, {accounts}) a;
"""
_ITEMS = """
    insert into hub.items (sku, name, unit, category, position_at, position_id)
    select 'sku-' || n, 'Item ' || n, 'piece', 'category-' || (n % {categories}),
        timestamptz '{day}', md5('item-' || n)::uuid
    from generate_series(0, {items} - 1) n;
"""
_ORDERS = """
    insert into hub.orders (order_id, channel, shop, order_number, profile_id, place, currency,
        status, payment_status, fulfilment_status, return_status, gross_minor, discount_minor,
        total_minor, paid_minor, refunded_minor, placed_at, paid_at, event_count, first_received_at)
    select md5('order-' || n)::uuid, 'channel-' || (1 + n % 2), 'main', n::text,
        md5('profile-' || (n % {members}) || '-' || (1 + n % 2))::uuid, 'store-' || (n % {places}),
        'CNY', 'open', 'paid', 'unfulfilled', 'none', 3000, 0, 3000, 3000, 0, moment, moment, 2,
        moment
    from generate_series({since}, {until}) n,
        lateral (
            select timestamptz '{day}' + interval '1 minute' * (n * 37 % (1440 * {days})) as moment
        ) t;
    insert into hub.order_lines (order_id, line, sku, quantity_milli, fulfilled_milli,
        returned_milli, unit_price_minor, gross_minor, discount_minor, total_minor)
    select md5('order-' || n)::uuid, l::text, 'sku-' || ((n * 7 + l) % {items}), 1000, 0, 0, 1500,
        1500, 0, 1500
    from generate_series({since}, {until}) n, generate_series(1, {lines}) l;
    insert into hub.stock_movements (movement_id, sku, place, kind, on_hand_milli, committed_milli,
        occurred_at, event_key, order_id)
    select md5('movement-' || n || '-' || l)::uuid, 'sku-' || ((n * 7 + l) % {items}),
        'store-' || (n % {places}), 'committed', 0, 1000,
        timestamptz '{day}' + interval '1 minute' * (n * 37 % (1440 * {days})),
        md5('event-' || n)::uuid, md5('order-' || n)::uuid
    from generate_series({since}, {until}) n, generate_series(1, {lines}) l;
    insert into hub.points_entries (entry_id, profile_id, kind, points, occurred_at, event_key,
        rule_version, order_id)
    select md5('entry-' || n)::uuid,
        md5('profile-' || (n % {members}) || '-' || (1 + n % 2))::uuid, 'earned', 30,
        timestamptz '{day}' + interval '1 minute' * (n * 37 % (1440 * {days})),
        md5('event-' || n)::uuid, 'earn-1', md5('order-' || n)::uuid
    from generate_series({since}, {until}) n;
"""
_REST = """
    insert into hub.stock_positions (sku, place, on_hand_milli, committed_milli, version)
    select sku, place, sum(on_hand_milli), sum(committed_milli), count(*)
    from hub.stock_movements group by sku, place
    on conflict (sku, place) do update set committed_milli = excluded.committed_milli,
        version = excluded.version, changed_xid = pg_current_xact_id()
    where stock_positions.committed_milli != excluded.committed_milli;
    update hub.points_accounts as a set issued_points = e.points, open_points = e.points,
        changed_xid = pg_current_xact_id()
    from (select profile_id, sum(points) as points from hub.points_entries group by profile_id) e
    where a.profile_id = e.profile_id and a.issued_points != e.points;
"""
_CORRECT = """
    update hub.orders set refunded_minor = 3000, payment_status = 'refunded',
        changed_xid = pg_current_xact_id()
    where order_id in (
        select md5('order-' || n)::uuid from generate_series(1, {orders}, {every}) n
    );
    insert into hub.order_refunds (order_id, refund_id, kind, status, amount_minor, points,
        asked_at, ended_at)
    select order_id, 'r', 'refund', 'succeeded', 3000, 0, placed_at, placed_at + interval '1 day'
    from hub.orders
    where order_id in (
        select md5('order-' || n)::uuid from generate_series(1, {orders}, {every}) n
    );
    update hub.order_lines set returned_milli = 0, fulfilled_milli = 1000,
        changed_xid = pg_current_xact_id()
    where order_id in (
        select md5('order-' || n)::uuid from generate_series(1, {orders}, {every}) n
    );
"""


def fill(connection: psycopg.Connection, orders: int) -> None:
    """Write so many orders of a year, with all that hangs on them."""
    members = orders // ORDERS_PER_MEMBER
    _run(connection, _ITEMS)
    _run(connection, _MEMBERS, since=0, until=members - 1, points=0)
    _run(connection, _ORDERS, since=1, until=orders, members=members)
    _run(connection, _REST)
    connection.commit()
    connection.autocommit = True
    connection.execute("vacuum analyze")
    connection.autocommit = False


def change(connection: psycopg.Connection, orders: int, part: float) -> None:
    """Change a part of them: half of it is new (late ones too, over the whole year), the other
    half is corrected."""
    members = orders // ORDERS_PER_MEMBER
    new = int(orders * part / 2)
    _run(connection, _ORDERS, since=orders + 1, until=orders + new, members=members)
    _run(connection, _CORRECT, orders=orders, every=int(2 / part))
    _run(connection, _REST)
    connection.commit()


def merge(connection: psycopg.Connection, into: int, member: int) -> int:
    """Let the accounts of one member be another's; how many orders the other has then."""
    connection.execute(
        "update hub.member_links set valid_to = now(), changed_xid = pg_current_xact_id()"
        " where member_id = md5('member-' || %s::text)::uuid",
        [member],
    )
    connection.execute(
        "insert into hub.member_links (link_id, profile_id, member_id, valid_from, reason,"
        " evidence, rule_version, event_key)"
        " select gen_random_uuid(), profile_id, md5('member-' || %s::text)::uuid, now(),"
        " 'same_phone', '{}', 'identity-1', gen_random_uuid() from hub.profiles"
        " where member_id = md5('member-' || %s::text)::uuid",
        [into, member],
    )
    connection.execute(
        "update hub.profiles set member_id = md5('member-' || %s::text)::uuid,"
        " changed_xid = pg_current_xact_id() where member_id = md5('member-' || %s::text)::uuid",
        [into, member],
    )
    connection.execute(
        "update hub.members set merged_into = md5('member-' || %s::text)::uuid,"
        " changed_xid = pg_current_xact_id() where member_id = md5('member-' || %s::text)::uuid",
        [into, member],
    )
    row = connection.execute(
        "select count(*) from hub.orders inner join hub.profiles using (profile_id)"
        " where member_id = md5('member-' || %s::text)::uuid",
        [into],
    ).fetchone()
    connection.commit()
    return row[0] if row else 0


def _run(connection: psycopg.Connection, statements: str, **values: int) -> None:
    text = statements.format(
        day=FIRST_DAY, days=DAYS, accounts=ACCOUNTS_PER_MEMBER, lines=LINES_PER_ORDER,
        items=ITEMS, places=PLACES, categories=CATEGORIES, **values,
    )  # fmt: skip
    connection.execute(text.encode())
