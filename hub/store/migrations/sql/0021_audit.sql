-- Schema hub: who did and saw what, as a chain. Each row carries the digest of the one before, so
-- none can be changed, added between or taken away unseen. Rows are written by `audit_append`
-- alone: nobody who works for the hub may insert, change or delete them (grants.sql).
create table audit (
    seq bigint not null,
    at timestamptz not null,
    actor text not null,
    action text not null,
    object text not null,
    channel text,
    request_id text,
    detail jsonb not null,
    before_hash bytea not null,
    hash bytea not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint audit_pk primary key (seq),
    constraint audit_actor_named check (length(actor) between 1 and 200),
    constraint audit_action_named check (action ~ '^[a-z_]{1,40}\.[a-z_]{1,40}$'),
    constraint audit_object_named check (length(object) between 1 and 500),
    constraint audit_detail_bounded check (octet_length(detail::text) <= 16384)
);
create index audit_by_object on audit (object, seq);
create index audit_by_actor on audit (actor, seq);
comment on table audit is
'who did and saw what; names of fields, never values of persons';
comment on column audit.actor is 'key:PREFIX, person:ID or cli:ACCOUNT';
comment on column audit.object is 'what it was done to, as a path: members/ID';

-- The end of the chain: its row is what writers wait for, and what shows a tail that was cut off.
create table audit_head (
    is_head boolean not null,
    seq bigint not null,
    hash bytea not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    constraint audit_head_pk primary key (is_head),
    constraint audit_head_is_one check (is_head)
);

create function audit_digest(said audit) returns bytea
language sql stable
as $$
    select sha256(said.before_hash || convert_to(jsonb_build_array(
        said.seq, (extract(epoch from said.at) * 1000000)::bigint, said.actor, said.action,
        said.object, said.channel, said.request_id, said.detail
    )::text, 'UTF8'))
$$;

create function audit_append(
    actor text, action text, object text, channel text, request_id text, detail jsonb
) returns bigint
language plpgsql
security definer
set search_path = hub, pg_temp
as $$
declare
    last audit_head;
    said audit;
begin
    insert into audit_head (is_head, seq, hash) values (true, 0, '') on conflict do nothing;
    select * into last from audit_head for update;
    said := row(
        last.seq + 1, clock_timestamp(), actor, action, object, channel, request_id, detail,
        last.hash, '', pg_current_xact_id()
    );
    said.hash := audit_digest(said);
    insert into audit select said.*;
    update audit_head set seq = said.seq, hash = said.hash, changed_xid = pg_current_xact_id();
    return said.seq;
end
$$;
revoke execute on function audit_append from public;
grant execute on function audit_append to hub_writer;
