-- Items, places, channels and shops.

-- name: lock_items
select
    sku as subject,
    position_at,
    position_id
from items
where sku = any($1::text[])
order by sku
for update;

-- name: lock_places
select
    place as subject,
    position_at,
    position_id
from places
where place = any($1::text[])
order by place
for update;

-- name: units
select
    sku,
    unit
from items
where
    sku = any($1::text[])
    and unit is not null
order by sku;

-- name: add_shops
with wanted as (
    select
        w.channel,
        w.shop
    from unnest($1::text[], $2::text[]) as w (channel, shop)
    where not exists (select from shops as s where s.channel = w.channel and s.shop = w.shop)
),

new_channels as (
    insert into channels (channel, name)
    select distinct
        channel,
        channel
    from wanted
    on conflict (channel) do nothing
)

insert into shops (channel, shop)
select
    channel,
    shop
from wanted
on conflict (channel, shop) do nothing;
