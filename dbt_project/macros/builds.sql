{#
    Write, audit, publish: readers never see a mart whose checks failed.

    Each run of dbt that builds marts is a build with a number. Its rows are written beside those
    that readers see (macros/mart_rows.sql), all checks of the marts run on them, and at the end of
    the run all marts together are published: one row changes. If a mart was not built, or a check
    failed or did not run, nothing is published; marts.builds says why, and readers keep the last
    good build. A run that was killed publishes nothing, and the next one heals what it left.

    `select marts.as_of('2026-11-01 08:00+08')` shows a session the marts as they were published
    then; `select marts.as_of(null)` those of now. Every build of the last day and the last one of
    each day before are kept, for `as_of_days` days and as long as the mart's code is the same.
#}

{# At the start of each command of dbt. #}
{% macro open_build() -%}
    {% if flags.WHICH in ('build', 'run', 'test') -%}
    begin;
    select pg_advisory_xact_lock(hashtext('hub.mart_rows'));
    {{ create_mart_rows() }}
    {% if flags.WHICH != 'test' -%}
    update mart_rows.builds set
        status = 'abandoned',
        reason = 'the run ended before its end',
        ended_at = clock_timestamp()
    where status = 'building';
    insert into mart_rows.builds (invocation_id) values ('{{ invocation_id }}');
    {%- endif %}
    commit;
    {{ analyze_sources() }}
    {%- endif %}
{%- endmacro %}

{% macro create_mart_rows() -%}
    create schema if not exists mart_rows;
    create schema if not exists candidates;
    create table if not exists mart_rows.builds (
        build bigint generated always as identity,
        invocation_id text not null,
        status text not null default 'building',
        reason text,
        started_at timestamptz not null default clock_timestamp(),
        ended_at timestamptz,
        bound_xid xid8,
        is_kept boolean not null default true,
        checks_code text,
        constraint builds_pk primary key (build),
        constraint builds_status_known
        check (status in ('building', 'published', 'refused', 'abandoned'))
    );
    alter table mart_rows.builds add column if not exists checks_code text;
    create table if not exists mart_rows.marts (
        mart text not null,
        rows_table text not null,
        generation text not null,
        since_xid xid8 not null,
        bound_xid xid8 not null,
        build bigint not null,
        first_build bigint not null,
        built_at timestamptz not null,
        published_table text,
        published_since bigint,
        constraint marts_pk primary key (mart)
    );
    create table if not exists mart_rows.published (
        is_only boolean not null default true,
        build bigint not null,
        constraint published_pk primary key (is_only),
        constraint published_is_one check (is_only)
    );
    -- Where bounds were kept before rows had builds.
    drop table if exists intermediate.mart_builds;
    create or replace view marts.builds as
    select
        builds.build,
        builds.status,
        builds.reason,
        builds.started_at,
        builds.ended_at,
        builds.bound_xid,
        builds.is_kept,
        builds.build = published.build as is_shown
    from mart_rows.builds
    left join mart_rows.published on true;
    create or replace function marts.as_of(moment timestamptz) returns timestamptz
    language plpgsql security definer set search_path = pg_catalog as $$
    declare
        past record;
    begin
        perform set_config('hub.as_of_build', '', false);
        if moment is null then
            return clock_timestamp();
        end if;
        select build, ended_at into past
        from mart_rows.builds
        where
            status = 'published'
            and is_kept
            and ended_at <= moment
            and build >= (select max(published_since) from mart_rows.marts)
        order by build desc
        limit 1;
        if not found then
            raise exception 'no build of the marts is kept from before %', moment
            using hint = 'select * from marts.builds where is_kept';
        end if;
        perform set_config('hub.as_of_build', past.build::text, false);
        return past.ended_at;
    end
    $$;
{%- endmacro %}

{# Right after a load Postgres knows nothing of the hub's tables yet, and would read them whole for
   each member. Older servers than 17 know no such right: there autovacuum has to come first. #}
{% macro analyze_sources() -%}
    {% set found = run_query(
        "select relname from pg_stat_user_tables where schemaname = 'hub' and n_live_tup > 0"
        " and (coalesce(last_analyze, last_autoanalyze) is null"
        " or n_mod_since_analyze > n_live_tup / 2)"
        " and case when current_setting('server_version_num')::int >= 170000"
        " then has_table_privilege(relid, 'MAINTAIN') else false end"
    ) if execute and flags.WHICH in ('build', 'run') else none %}
    {% for table in (found.columns[0].values() if found is not none else []) -%}
    analyze hub.{{ table }};
    {% endfor -%}
{%- endmacro %}

{# The number of the build that this run of dbt opened. #}
{% macro build_of_run() -%}
    {% set found = run_query(
        "select build from mart_rows.builds where invocation_id = '" ~ invocation_id ~ "'"
    ) %}
    {{ return(found.rows[0][0]) }}
{%- endmacro %}

{# At the end of each command of dbt: publish the last build, or say why not. #}
{% macro close_build(results) -%}
    {% if execute and flags.WHICH in ('build', 'run', 'test') and not is_overtaken() -%}
        {% set reason = reason_to_refuse(results) %}
        {% if reason -%}
            begin;
            update mart_rows.builds set
                status = 'refused', reason = $reason${{ reason }}$reason$, ended_at = clock_timestamp()
            where build = (select max(build) from mart_rows.builds) and status != 'published';
            commit;
        {%- else -%}
            {{ publish() }}
        {%- endif %}
    {%- endif %}
{%- endmacro %}

{# Whether another build was opened meanwhile, by a run that took this one for dead: what comes of
   it is that one's to say. #}
{% macro is_overtaken() -%}
    {% if flags.WHICH == 'test' -%}
        {{ return(false) }}
    {%- endif %}
    {% set found = run_query("select max(build) from mart_rows.builds") %}
    {{ return(found.rows[0][0] != build_of_run()) }}
{%- endmacro %}

{# Why the last build can't be published; empty if it can. #}
{% macro reason_to_refuse(results) -%}
    {% set failed, passed = [], [] %}
    {% for result in results if result.node.resource_type in ('model', 'test') -%}
        {% if result.status in ('success', 'pass', 'warn') -%}
            {% do passed.append(result.node.unique_id) %}
        {%- else -%}
            {% do failed.append(result.node.name) %}
        {%- endif %}
    {%- endfor %}
    {% if failed -%}
        {{ return('failed: ' ~ failed | sort | join(', ')) }}
    {%- endif %}
    {% set found = run_query(
        "select mart from mart_rows.marts where build = (select max(build) from mart_rows.builds)"
    ) %}
    {% set built = found.columns[0].values() | list %}
    {% set marts = marts_of_project() %}
    {% set missing = marts | map(attribute='name') | reject('in', built) | sort | list %}
    {% if missing -%}
        {{ return('not built, and marts change together: ' ~ missing | join(', ')) }}
    {%- endif %}
    {% set of_marts = marts | map(attribute='unique_id') | list %}
    {% set unchecked = [] %}
    {% for test in graph.nodes.values() if test.resource_type == 'test' -%}
        {% set tested = test.depends_on.nodes | select('in', of_marts) | list %}
        {% if tested and test.unique_id not in passed -%}
            {% do unchecked.append(test.name) %}
        {%- endif %}
    {%- endfor %}
    {% if unchecked -%}
        {{ return(unchecked | length ~ ' checks did not run, such as ' ~ unchecked | sort | first) }}
    {%- endif %}
    {{ return('') }}
{%- endmacro %}

{% macro marts_of_project() -%}
    {% set found = [] %}
    {% for node in graph.nodes.values() if node.resource_type == 'model' and node.schema == 'marts' -%}
        {% do found.append(node) %}
    {%- endfor %}
    {{ return(found) }}
{%- endmacro %}

{# All marts change in one transaction. Views are made anew only where a mart has another table. #}
{% macro publish() -%}
    {% set known = run_query(
        "select m.mart, m.rows_table, m.rows_table is distinct from m.published_table, c.relkind"
        " from mart_rows.marts as m"
        " left join pg_class as c on c.oid = to_regclass('marts.' || m.mart)"
    ) %}
    begin;
    select pg_advisory_xact_lock(hashtext('hub.mart_rows'));
    {% for mart in marts_of_project() -%}
        {% for name, table, is_other, kind in known.rows if name == mart.name and is_other -%}
            {# Before rows had builds, marts were tables. #}
            {%- if kind -%}
    drop {{ 'table' if kind == 'r' else 'view' }} marts.{{ name }};
            {%- endif %}
    {{ create_published(mart, table) }}
        {%- endfor %}
    {%- endfor %}
    update mart_rows.marts set published_table = rows_table, published_since = first_build;
    insert into mart_rows.published (build) select max(build) from mart_rows.builds
    on conflict (is_only) do update set build = excluded.build;
    update mart_rows.builds set
        status = 'published',
        reason = null,
        ended_at = clock_timestamp(),
        bound_xid = (select min(bound_xid) from mart_rows.marts),
        checks_code = '{{ code_of_checks() }}'
    where build = (select max(build) from mart_rows.builds);
    {{ prune() }}
    commit;
{%- endmacro %}

{% macro create_published(mart, table) -%}
    {% set personal = personal_of(mart) %}
    create view marts.{{ mart.name }} as
    select
        {%- for column in mart.columns %}
        {% if column in personal -%}
        case when {{ may_see_personal() }} then {{ column }} else '***' end as {{ column }}
        {%- else -%}
        {{ column }}
        {%- endif %}{{ ',' if not loop.last }}
        {%- endfor %}
    from mart_rows.{{ table }}
    where build_from <= ({{ shown_build() }}) and build_to > ({{ shown_build() }});
    comment on view marts.{{ mart.name }} is $words${{ mart.description }}$words$;
    {% for column in mart.columns.values() -%}
    comment on column marts.{{ mart.name }}.{{ column.name }} is $words${{ column.description }}$words$;
    {% endfor -%}
{%- endmacro %}

{# Whoever may read the hub's own tables; an analyst may not. #}
{% macro may_see_personal() -%}
    (select pg_has_role(current_user, 'hub_reader', 'usage') or current_user = 'hub_writer')
{%- endmacro %}

{# The build that a session reads: the published one, or what it asked for by marts.as_of. #}
{% macro shown_build() -%}
    select coalesce(nullif(current_setting('hub.as_of_build', true), '')::bigint, build)
    from mart_rows.published
{%- endmacro %}

{# Once a day: rows that no kept build shows, and tables of former code. #}
{% macro prune() -%}
    {% set found = run_query(
        "select tablename from pg_tables where schemaname = 'mart_rows' and tablename like '%\\_\\_%'"
        " and tablename not in (select rows_table from mart_rows.marts)"
    ) %}
    {% for table in found.columns[0].values() -%}
    drop table mart_rows.{{ table }};
    {% endfor -%}
    {% set due = run_query(
        "select not exists (select 1 from mart_rows.builds where status = 'published'"
        " and ended_at::date = current_date)"
    ) %}
    {% if due.rows[0][0] -%}
    update mart_rows.builds as old set is_kept = false
    where
        old.is_kept
        and old.ended_at < now() - interval '1 day'
        and (
            old.status != 'published'
            or old.ended_at < now() - interval '{{ var("as_of_days") }} days'
            or exists (
                select 1 from mart_rows.builds as later
                where
                    later.status = 'published'
                    and later.build > old.build
                    and {{ business_date('later.ended_at') }} = {{ business_date('old.ended_at') }}
            )
        );
    {% for name in run_query("select rows_table from mart_rows.marts").columns[0].values() -%}
    delete from mart_rows.{{ name }} as closed
    where
        closed.build_to <= (select build from mart_rows.published)
        and not exists (
            select 1 from mart_rows.builds
            where
                builds.status = 'published'
                and builds.is_kept
                and builds.build >= closed.build_from
                and builds.build < closed.build_to
        );
    {% endfor -%}
    {%- endif %}
{%- endmacro %}
