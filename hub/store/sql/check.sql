-- Invariants: each query returns the rows that break one.

-- name: keep
insert into access.check_runs (invariant, proof, ran_at, violations, sample)
values ($1, $2, clock_timestamp(), $3, $4);

-- name: last
select
    invariant,
    max(ran_at) as ran_at
from access.check_runs
where violations = 0
group by invariant;

-- name: points_accounts_equal_their_entries
with entries as (
    select
        profile_id,
        coalesce(
            sum(points) filter (where kind in ('earned', 'adjusted', 'reversed') and points > 0), 0
        )
            as issued,
        coalesce(
            -sum(points) filter (where kind in ('earned', 'adjusted', 'reversed') and points < 0), 0
        )
            as reversed,
        coalesce(-sum(points) filter (where kind = 'expired'), 0) as expired,
        coalesce(-sum(points + held_points) filter (where use_id is not null), 0) as spent,
        coalesce(sum(held_points), 0) as held
    from points_entries
    group by profile_id
)

select
    coalesce(a.profile_id, e.profile_id) as profile_id,
    a.issued_points,
    e.issued as issued_by_entries,
    a.spent_points,
    e.spent as spent_by_entries,
    a.held_points,
    e.held as held_by_entries,
    a.expired_points,
    e.expired as expired_by_entries,
    a.reversed_points,
    e.reversed as reversed_by_entries
from points_accounts as a
full join entries as e on a.profile_id = e.profile_id
where
    (
        coalesce(a.issued_points, 0),
        coalesce(a.spent_points, 0),
        coalesce(a.held_points, 0),
        coalesce(a.expired_points, 0),
        coalesce(a.reversed_points, 0)
    )
    is distinct from (
        coalesce(e.issued, 0),
        coalesce(e.spent, 0),
        coalesce(e.held, 0),
        coalesce(e.expired, 0),
        coalesce(e.reversed, 0)
    );

-- name: points_accounts_equal_their_lots
with lots as (
    select
        profile_id,
        sum(pending_points) as pending_points,
        sum(open_points) as open_points,
        sum(expired_points) as expired_points,
        sum(earned_points) as earned_points
    from points_lots
    group by profile_id
)

select
    coalesce(a.profile_id, l.profile_id) as profile_id,
    a.open_points,
    l.open_points as open_by_lots,
    a.pending_points,
    l.pending_points as pending_by_lots,
    a.expired_points,
    l.expired_points as expired_by_lots,
    a.debt_points
from points_accounts as a
full join lots as l on a.profile_id = l.profile_id
where
    a.profile_id is null
    or a.open_points <> coalesce(l.open_points, 0)
    or a.pending_points <> coalesce(l.pending_points, 0)
    or a.expired_points <> coalesce(l.expired_points, 0)
    or a.issued_points - a.reversed_points <> coalesce(l.earned_points, 0)
    or a.issued_points + a.debt_points
    <> a.pending_points + a.held_points + a.open_points + a.spent_points + a.expired_points
    + a.reversed_points;

-- name: points_spends_equal_their_entries
with entries as (
    select
        order_id,
        sum(held_points) as held_points,
        -sum(points + held_points) as spent_points
    from points_entries
    where use_id is not null and order_id is not null
    group by order_id
),

spends as (
    select
        spend_id,
        order_id,
        held_points,
        spent_points - returned_points as spent_points
    from points_spends
)

select
    s.spend_id,
    s.held_points,
    e.held_points as held_by_entries,
    s.spent_points,
    e.spent_points as spent_by_entries
from spends as s
full join entries as e on s.order_id = e.order_id
where
    coalesce(s.held_points, 0) <> coalesce(e.held_points, 0)
    or coalesce(s.spent_points, 0) <> coalesce(e.spent_points, 0);

-- name: overspent_points_have_a_case
with lots as (
    select
        profile_id,
        sum(greatest(granted_points - earned_points, 0)) as taken_back_points
    from points_lots
    group by profile_id
),

overspent as (
    select a.profile_id::text as object_key
    from points_accounts as a
    left join lots as l on a.profile_id = l.profile_id
    where a.debt_points > coalesce(l.taken_back_points, 0)
),

open_cases as (
    select object_key
    from cases
    where kind = 'points_overspent' and state = 'open'
)

select coalesce(o.object_key, c.object_key) as profile_id
from overspent as o
full join open_cases as c on o.object_key = c.object_key
where o.object_key is null or c.object_key is null;

-- name: points_of_an_order_follow_the_rule
with entries as (
    select
        order_id,
        sum(points) as points
    from points_entries
    where order_id is not null and kind in ('earned', 'reversed')
    group by order_id
),

-- The amounts alone do not tell what other versions of the rule grant.
other_rules as (
    select distinct order_id
    from points_lots
    where order_id is not null and rule_version <> 'earn-1'
),

exponents (currency, units) as (
    values
    ('BIF', 1), ('CLP', 1), ('DJF', 1), ('GNF', 1), ('ISK', 1), ('JPY', 1), ('KMF', 1), ('KRW', 1),
    ('PYG', 1), ('RWF', 1), ('UGX', 1), ('VND', 1), ('VUV', 1), ('XAF', 1), ('XOF', 1), ('XPF', 1),
    ('BHD', 1000), ('IQD', 1000), ('JOD', 1000), ('KWD', 1000), ('LYD', 1000), ('OMR', 1000),
    ('TND', 1000)
),

wanted as (
    select
        o.order_id,
        case
            when
                o.paid_minor >= o.total_minor - coalesce(d.tendered_minor, 0)
                and (d.received_at is not null or not coalesce(d.is_paid_on_delivery, false))
                and o.is_sale
                and o.profile_id is not null
                and o.cancelled_at is null
                then (o.paid_minor - o.refunded_minor) / coalesce(x.units, 100)
            else 0
        end as points
    from orders as o
    left join exponents as x on o.currency = x.currency
    left join order_details as d on o.order_id = d.order_id
)

select
    coalesce(w.order_id, e.order_id) as order_id,
    w.points as by_rule,
    e.points as by_entries
from wanted as w
full join entries as e on w.order_id = e.order_id
left join other_rules as r on coalesce(w.order_id, e.order_id) = r.order_id
left join order_details as d on coalesce(w.order_id, e.order_id) = d.order_id
where
    coalesce(w.points, 0) <> coalesce(e.points, 0)
    and r.order_id is null
    -- What an order costs once a part is called off is for the fold to say.
    and d.cancelled_milli is null;

-- name: growth_follows_what_was_paid
with entries as (
    select
        order_id,
        sum(amount_minor) as amount_minor
    from growth_entries
    where order_id is not null
    group by order_id
)

select
    e.order_id,
    e.amount_minor,
    o.paid_minor,
    o.refunded_minor
from entries as e
left join orders as o on e.order_id = o.order_id
where
    e.amount_minor <> 0
    and e.amount_minor is distinct from o.paid_minor - o.refunded_minor;

-- name: levels_are_what_their_history_ends_with
with last as (
    select distinct on (member_id, scheme)
        member_id,
        scheme,
        level
    from tier_changes
    order by member_id, scheme, number desc
)

select
    coalesce(t.member_id, c.member_id) as member_id,
    coalesce(t.scheme, c.scheme) as scheme,
    t.level,
    c.level as level_by_history
from member_tiers as t
full join last as c on t.member_id = c.member_id and t.scheme = c.scheme
left join members as m on t.member_id = m.member_id
where
    t.level is distinct from c.level
    or m.merged_into is not null;

-- name: stock_positions_equal_their_movements
with movements as (
    select
        sku,
        place,
        sum(on_hand_milli) as on_hand_milli,
        sum(committed_milli) as committed_milli,
        sum(reserved_milli) as reserved_milli,
        sum(unavailable_milli) as unavailable_milli,
        sum(incoming_milli) as incoming_milli
    from stock_movements
    group by sku, place
)

select
    coalesce(p.sku, m.sku) as sku,
    coalesce(p.place, m.place) as place,
    p.on_hand_milli,
    m.on_hand_milli as on_hand_by_movements,
    p.committed_milli,
    m.committed_milli as committed_by_movements,
    p.reserved_milli,
    m.reserved_milli as reserved_by_movements,
    p.unavailable_milli,
    m.unavailable_milli as unavailable_by_movements,
    p.incoming_milli,
    m.incoming_milli as incoming_by_movements
from stock_positions as p
full join movements as m on p.sku = m.sku and p.place = m.place
where
    coalesce(p.on_hand_milli, 0) <> coalesce(m.on_hand_milli, 0)
    or coalesce(p.committed_milli, 0) <> coalesce(m.committed_milli, 0)
    or coalesce(p.reserved_milli, 0) <> coalesce(m.reserved_milli, 0)
    or coalesce(p.unavailable_milli, 0) <> coalesce(m.unavailable_milli, 0)
    or coalesce(p.incoming_milli, 0) <> coalesce(m.incoming_milli, 0);

-- name: committed_stock_equals_open_orders
with promised as (
    select
        o.order_id,
        o.place,
        l.line,
        coalesce(l.stock_sku, l.sku) as sku,
        l.quantity_milli
        - l.fulfilled_milli
        - coalesce((d.cancelled_milli ->> l.line)::bigint, 0) as left_milli
    from orders as o
    inner join order_lines as l on o.order_id = l.order_id
    left join order_details as d on o.order_id = d.order_id and d.cancelled_milli is not null
    where
        o.cancelled_at is null
        and o.is_sale
        and o.place is not null
        and l.quantity_milli > l.fulfilled_milli
        and coalesce(l.stock_sku, l.sku) <> ''
),

wanted as (
    select
        p.sku,
        p.place,
        sum(p.left_milli) as committed_milli
    from promised as p
    left join order_line_stock as s on p.order_id = s.order_id and p.line = s.line
    where s.order_id is null
    group by p.sku, p.place
    union all
    -- Bundles are promised by their components; what waits for its item, not at all.
    select
        c.value ->> 0 as sku,
        p.place,
        sum(p.left_milli * (c.value ->> 1)::bigint / 1000) as committed_milli
    from promised as p
    inner join order_line_stock as s on p.order_id = s.order_id and p.line = s.line
    cross join lateral jsonb_array_elements(s.components) as c
    group by c.value ->> 0, p.place
    union all
    -- Sold, and the order is still on its way.
    select
        q.key as sku,
        r.place,
        sum(q.value::bigint) as committed_milli
    from reservations as r
    cross join lateral jsonb_each_text(r.quantities_milli) as q
    where r.status = 'committed'
    group by q.key, r.place
),

summed as (
    select
        sku,
        place,
        sum(committed_milli) as committed_milli
    from wanted
    group by sku, place
)

select
    coalesce(p.sku, w.sku) as sku,
    coalesce(p.place, w.place) as place,
    p.committed_milli,
    w.committed_milli as committed_by_orders
from (select * from stock_positions where committed_milli <> 0) as p
full join summed as w on p.sku = w.sku and p.place = w.place
where coalesce(p.committed_milli, 0) <> coalesce(w.committed_milli, 0);

-- name: reserved_stock_equals_held_reservations
with wanted as (
    select
        q.key as sku,
        r.place,
        sum(q.value::bigint) as reserved_milli
    from reservations as r
    cross join lateral jsonb_each_text(r.quantities_milli) as q
    where r.status = 'held'
    group by q.key, r.place
)

select
    coalesce(p.sku, w.sku) as sku,
    coalesce(p.place, w.place) as place,
    p.reserved_milli,
    w.reserved_milli as reserved_by_reservations
from (select * from stock_positions where reserved_milli <> 0) as p
full join wanted as w on p.sku = w.sku and p.place = w.place
where coalesce(p.reserved_milli, 0) <> coalesce(w.reserved_milli, 0);

-- name: oversold_stock_has_a_case
with below as (
    select
        place || '/' || sku as object_key,
        on_hand_milli - committed_milli - reserved_milli - unavailable_milli as available_milli
    from stock_positions
    where
        counted_at is not null
        and on_hand_milli - committed_milli - reserved_milli - unavailable_milli < 0
),

open_cases as (
    select object_key
    from cases
    where kind = 'oversold' and state = 'open'
)

select
    coalesce(b.object_key, c.object_key) as position,
    b.available_milli
from below as b
full join open_cases as c on b.object_key = c.object_key
where b.object_key is null or c.object_key is null;

-- name: batches_hold_no_more_than_is_there
select
    b.sku,
    b.place,
    sum(b.left_milli) as left_milli,
    p.on_hand_milli
from stock_batches as b
left join stock_positions as p on b.sku = p.sku and b.place = p.place
group by b.sku, b.place, p.on_hand_milli
having sum(b.left_milli) > greatest(coalesce(p.on_hand_milli, 0), 0);

-- name: allotted_stock_equals_its_allotments
with kept as (
    select
        sku,
        place,
        sum(held_milli) as held_milli
    from allotments
    group by sku, place
)

select
    coalesce(p.sku, k.sku) as sku,
    coalesce(p.place, k.place) as place,
    p.allotted_milli,
    k.held_milli as allotted_by_allotments
from (select * from stock_positions where allotted_milli is not null) as p
full join kept as k on p.sku = k.sku and p.place = k.place
where coalesce(p.allotted_milli, 0) <> coalesce(k.held_milli, 0);

-- name: allotments_beyond_stock_have_a_case
with beyond as (
    select place || '/' || sku as object_key
    from stock_positions
    where
        counted_at is not null
        and allotted_milli > 0
        and on_hand_milli - committed_milli - reserved_milli - unavailable_milli < allotted_milli
),

open_cases as (
    select object_key
    from cases
    where kind = 'allotted_beyond_stock' and state = 'open'
)

select coalesce(b.object_key, c.object_key) as position
from beyond as b
full join open_cases as c on b.object_key = c.object_key
where b.object_key is null or c.object_key is null;

-- name: transfers_that_differ_have_a_case
with differing as (
    select transfer_id || '/' || to_place || '/' || sku as object_key
    from stock_transfers
    where
        arrived_milli + lost_milli <> 0
        and dispatched_milli <> arrived_milli + lost_milli
),

open_cases as (
    -- A person may have settled it.
    select object_key
    from cases
    where kind = 'transfer_differs'
)

select d.object_key as transfer
from differing as d
left join open_cases as c on d.object_key = c.object_key
where c.object_key is null;

-- name: coupons_are_not_used_twice
with live as (
    select
        coupon_id,
        count(*) as uses
    from coupon_redemptions
    where is_accepted and reversed_at is null
    group by coupon_id
)

select
    c.code,
    c.uses_total,
    c.uses_redeemed,
    l.uses as live_redemptions
from coupons as c
left join live as l on c.coupon_id = l.coupon_id
where
    coalesce(l.uses, 0) <> c.uses_redeemed
    or c.uses_redeemed > c.uses_total;

-- name: what_coupons_were_sold_for_is_owed_or_earned
with earned as (
    select
        coupon_id,
        sum(revenue_minor) as revenue_minor
    from coupon_redemptions
    group by coupon_id
),

summed as (
    select
        c.code,
        c.kind,
        c.status,
        coalesce(c.paid_minor, 0) as paid_minor,
        c.owed_minor,
        c.refunded_minor,
        coalesce(e.revenue_minor, 0) as revenue_minor
    from coupons as c
    left join earned as e on c.coupon_id = e.coupon_id
)

select
    code,
    paid_minor,
    owed_minor,
    revenue_minor,
    refunded_minor
from summed
where
    case
        when kind not in ('exchange', 'times') then owed_minor + revenue_minor + refunded_minor
        when status in ('expired', 'voided')
            then greatest(owed_minor + revenue_minor + refunded_minor - paid_minor, 0)
        else owed_minor + revenue_minor + refunded_minor - paid_minor
    end <> 0;

-- name: money_owed_for_expired_coupons_has_a_case
with owing as (
    select coupon_id::text as object_key
    from coupons
    where status = 'expired' and owed_minor > 0
),

known_cases as (
    -- A person may have settled it; one that is open has to be about money owed.
    select
        object_key,
        state
    from cases
    where kind = 'coupon_refund_owed'
)

select
    coalesce(o.object_key, k.object_key) as coupon_id,
    o.object_key is null as is_nothing_owed
from owing as o
full join known_cases as k on o.object_key = k.object_key
where
    k.object_key is null
    or (o.object_key is null and k.state = 'open');

-- name: refused_redemptions_have_a_case
with refused as (
    select event_key
    from coupon_redemptions
    where not is_accepted and reversed_at is null
),

open_cases as (
    select (detail ->> 'event_key')::uuid as event_key
    from cases
    where kind = 'coupon_refused' and state = 'open'
)

select
    coalesce(r.event_key, o.event_key) as event_key,
    r.event_key is null as has_no_redemption
from refused as r
full join open_cases as o on r.event_key = o.event_key
where r.event_key is null or o.event_key is null;

-- name: coupons_of_one_use_a_person_are_or_have_a_case
with uses as (
    select
        c.template,
        r.coupon_id,
        coalesce(r.profile_id, c.profile_id) as profile_id
    from coupon_redemptions as r
    inner join coupons as c on r.coupon_id = c.coupon_id
    where
        r.is_accepted
        and r.reversed_at is null
        and c.template is not null
        and c.terms @> '{"once_per_person": true}'
),

several as (
    select p.member_id::text || '/' || u.template as object_key
    from uses as u
    inner join profiles as p on u.profile_id = p.profile_id
    group by p.member_id, u.template
    having count(distinct u.coupon_id) > 1
),

known_cases as (
    -- A person may have settled one of several uses; one that is open has to be about them.
    select
        object_key,
        state
    from cases
    where kind = 'coupon_once_per_person'
)

select
    coalesce(s.object_key, k.object_key) as member_and_template,
    s.object_key is null as has_one_use
from several as s
full join known_cases as k on s.object_key = k.object_key
where
    k.object_key is null
    or (s.object_key is null and k.state = 'open');

-- name: refunds_stay_within_payments
select
    channel,
    shop,
    order_number,
    paid_minor,
    refunded_minor
from orders
where refunded_minor > paid_minor or refunded_minor < 0;

-- name: orders_equal_their_lines
with lines as (
    select
        order_id,
        sum(gross_minor) as gross_minor,
        sum(discount_minor) as discount_minor,
        bool_or(
            fulfilled_milli not between 0 and quantity_milli
            or returned_milli not between 0 and fulfilled_milli
        ) as is_beyond_ordered
    from order_lines
    group by order_id
)

select
    o.order_id,
    o.order_number,
    o.gross_minor,
    l.gross_minor as gross_by_lines
from orders as o
full join lines as l on o.order_id = l.order_id
where
    (o.gross_minor, o.discount_minor) is distinct from (l.gross_minor, l.discount_minor)
    or l.is_beyond_ordered;

-- name: each_event_has_one_outcome
with logged as (
    select
        event_key,
        count(*) as times
    from log.events
    group by event_key
)

select
    coalesce(i.event_key, e.event_key) as event_key,
    i.outcome,
    e.times
from log.inbox as i
full join logged as e on i.event_key = e.event_key
left join parked as p on i.event_key = p.event_key
where
    e.times is distinct from 1
    or i.event_key is null
    or (i.outcome = 'parked') <> (p.event_key is not null);

-- name: each_applied_event_has_one_fact
with facts as (
    select
        event_key,
        count(*) as times
    from outbox
    group by event_key
)

select
    coalesce(i.event_key, f.event_key) as event_key,
    f.times
from (select * from log.inbox where outcome = 'applied') as i
full join facts as f on i.event_key = f.event_key
where f.times is distinct from 1;

-- name: a_run_of_a_rule_is_as_its_effects
with told as (
    select
        fact_key,
        rule,
        version,
        bool_or(state = 'failed') as has_failed,
        bool_or(state = 'waiting') as is_waiting
    from rule_effects
    group by fact_key, rule, version
)

select
    r.run_id,
    r.rule,
    r.version,
    r.state
from told as t
inner join rule_runs as r
    on
        t.fact_key = r.fact_key
        and t.rule = r.rule
        and t.version = r.version
where
    r.failures is null
    and r.state <> 'dismissed'
    and (
        (t.has_failed and r.state <> 'failed')
        or (t.is_waiting and not t.has_failed and r.state not in ('waiting', 'failed'))
        or (r.state = 'waiting' and not t.is_waiting)
    );

-- name: a_verified_identifier_has_one_member
select
    i.identifier_type,
    i.value_hmac,
    count(distinct p.member_id) as members
from profile_identifiers as i
inner join profiles as p on i.profile_id = p.profile_id
where
    i.standing = 'joins'
    and i.valid_to is null
group by i.identifier_type, i.value_hmac
having count(distinct p.member_id) > 1;

-- name: a_member_is_named_by_its_smallest_profile
with smallest as (
    select
        member_id,
        min(profile_id::text)::uuid as profile_id
    from profiles
    group by member_id
)

select
    s.member_id,
    s.profile_id as smallest_profile,
    m.merged_into
from smallest as s
left join members as m on s.member_id = m.member_id
where
    s.member_id <> s.profile_id
    or m.member_id is null
    or m.merged_into is not null;

-- name: people_ruled_apart_are_not_one_member
select
    m.pair_key,
    l.member_id
from member_rulings as m
inner join profiles as l on m.left_profile = l.profile_id
inner join profiles as r on m.right_profile = r.profile_id
where
    not m.is_one
    and m.ruled_at > all(array_remove(array[l.erased_at, r.erased_at], null))
    and l.member_id = r.member_id;

-- name: the_audit_chain_verifies
with told as (
    select
        a.seq,
        a.actor,
        a.action,
        a.hash = audit_digest(a.*::audit) as is_as_written,
        a.before_hash = lag(a.hash, 1, ''::bytea) over (order by a.seq) as follows,
        a.seq = 1 + lag(a.seq, 1, 0::bigint) over (order by a.seq) as is_next
    from audit as a
),

ends as (
    select
        coalesce(max(seq), 0) as seq,
        (select hash from audit order by seq desc limit 1) as hash
    from audit
)

select
    seq,
    actor,
    action,
    'changed, or not in its place' as fault
from told
where not (is_as_written and follows and is_next)
union all
select
    coalesce(h.seq, e.seq) as seq,
    null as actor,
    null as action,
    'the end of the chain is not its last row' as fault
from ends as e
full join audit_head as h on true
where
    e.seq is distinct from coalesce(h.seq, 0)
    or (e.seq > 0 and e.hash is distinct from h.hash);
