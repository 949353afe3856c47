-- What the catalog and the configuration say of what orders take of stock.

-- name: components
select
    event_key,
    sku,
    components,
    said_at
from item_components
where sku = any($1::text[])
order by sku, said_at, event_key;

-- name: configs
select
    event_key,
    kind,
    name,
    document,
    valid_from
from configs
where kind = any($1::text[])
order by kind, name, valid_from, published_at, event_key;

-- name: items_are_awaited
select exists(select from configs where kind = 'unknown_items');

-- name: described
select sku
from items
where sku = any($1::text[]);

-- Orders that sold these items as bundles since a time; where $3, also as themselves.
-- name: orders_of_bundles
select distinct
    o.channel,
    o.shop,
    o.order_number
from unnest($1::text[], $2::timestamptz[], $3::boolean[]) as k (sku, since, is_first)
cross join
    lateral (
        select order_id
        from order_line_stock
        where sku = k.sku
        union all
        select order_id
        from stock_movements
        where
            k.is_first
            and sku = k.sku
            and order_id is not null
    ) as sold
inner join orders as o
    on
        sold.order_id = o.order_id
        and k.since <= o.placed_at;

-- Orders with lines that wait for their item to be described.
-- name: orders_that_wait
select distinct
    o.channel,
    o.shop,
    o.order_number
from order_line_stock as s
inner join orders as o on s.order_id = o.order_id
where
    s.sku = any($1::text[])
    and s.components = '[]';

-- Orders of a channel, or of one shop of it, or of all channels, placed since a time.
-- name: orders_since
select
    channel,
    shop,
    order_number
from orders
where
    placed_at >= $1
    and ($2::text is null or channel = $2)
    and ($3::text is null or shop = $3);

-- For each place whether it has all of these items for a channel: (sku, thousandths).
-- name: places_with_all
select k.place
from unnest($1::text[]) with ordinality as k (place, position)
where
    not exists (
        select
        from unnest($2::text[], $3::bigint[]) as w (sku, milli)
        left join stock_positions as p on w.sku = p.sku and k.place = p.place
        where
            p.sku is null
            or p.on_hand_milli - p.committed_milli - p.reserved_milli - p.unavailable_milli
            - coalesce((
                select sum(a.held_milli)
                from allotments as a
                where
                    p.allotted_milli > 0
                    and a.sku = p.sku
                    and a.place = p.place
                    and a.channel <> $4
            ), 0)
            - coalesce((
                select sum(b.left_milli)
                from stock_batches as b
                where
                    p.has_batches
                    and b.sku = p.sku
                    and b.place = p.place
                    and b.best_before_at <= $5
            ), 0) < w.milli
    )
order by k.position
limit 1;
