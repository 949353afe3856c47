{#
    How the marts follow the hub, losing nothing.

    Each row of schema hub carries changed_xid, the transaction that wrote it last. Transactions
    commit in another order than they begin, so "newer than the last row seen" would lose rows.
    Instead each build keeps bound_xid = pg_snapshot_xmin of the snapshot it read: all below it
    had ended, and was read. The next build reads changed_xid >= that bound. What lies above it and
    was visible is read twice, which changes nothing: rows are replaced by their key.

    All marts of one run read one snapshot, where the caller exports one (HUB_DBT_SNAPSHOT): so an
    order and its lines, a balance and its ledger always fit each other, under load too.
    Without it each mart reads its own snapshot; nothing is lost, but marts may be some
    milliseconds apart.

    intermediate.mart_builds has one row a mart, written in the transaction that builds the mart.
    Another generation (a replay took rows away, or a backup was restored elsewhere) makes old
    bounds meaningless: the mart is emptied and built anew, in one transaction. Other code (after
    an upgrade) makes the mart's old rows wrong: dbt then builds a new table and swaps it.
#}

{% macro mart_builds() -%}
    intermediate.mart_builds
{%- endmacro %}

{% macro create_mart_builds() -%}
    create table if not exists {{ mart_builds() }} (
        mart text not null,
        generation text not null,
        since_xid xid8 not null,
        bound_xid xid8 not null,
        built_at timestamptz not null,
        code text,
        constraint mart_builds_pk primary key (mart)
    )
{%- endmacro %}

{# First statement of a mart's transaction. Rendered only when it runs, so that another snapshot
   does not make dbt parse the project again. #}
{% macro read_run_snapshot() -%}
    {% if execute and env_var('HUB_DBT_SNAPSHOT', '') -%}
        rollback; -- of the questions dbt asked before: a snapshot comes before any query
        begin isolation level repeatable read;
        set transaction snapshot '{{ env_var("HUB_DBT_SNAPSHOT") }}'
    {%- endif %}
{%- endmacro %}

{% macro open_build() -%}
    insert into {{ mart_builds() }} as known (mart, generation, since_xid, bound_xid, built_at)
    select
        '{{ this.name }}',
        generation,
        '0',
        pg_snapshot_xmin(pg_current_snapshot()),
        clock_timestamp()
    from {{ ref('stg_hub__generation') }}
    on conflict (mart) do update set
        generation = excluded.generation,
        since_xid = case
            when known.generation = excluded.generation then known.bound_xid else '0'::xid8
        end,
        bound_xid = excluded.bound_xid,
        built_at = excluded.built_at
{%- endmacro %}

{% macro forget_other_generation() -%}
    {% if is_incremental() -%}
        delete from {{ this }}
        where (select since_xid = '0' from {{ mart_builds() }} where mart = '{{ this.name }}')
    {%- endif %}
{%- endmacro %}

{% macro close_build() -%}
    update {{ mart_builds() }} set code = '{{ code_of_mart() }}' where mart = '{{ this.name }}'
{%- endmacro %}

{# Digest of all that decides how a mart's rows are computed: its own code and columns, the views
   it may read, and our macros as they render. #}
{% macro code_of_mart() -%}
    {% set parts = [quantity('x'), business_date('x'), discount_minor('x'), model.columns | string] %}
    {% set nodes = graph.nodes.values() if execute else [] %}
    {% for node in nodes | sort(attribute='unique_id') -%}
        {% if node.unique_id == model.unique_id or node.schema in ('staging', 'intermediate') -%}
            {% do parts.append(node.raw_code) %}
        {%- endif %}
    {%- endfor %}
    {{ return(local_md5(parts | join('|'))) }}
{%- endmacro %}

{# In place of dbt's macro of this name: a mart that other code built is built anew too. #}
{% macro should_full_refresh() -%}
    {% set asked = config.get('full_refresh') %}
    {% if asked is none %}{% set asked = flags.FULL_REFRESH %}{% endif %}
    {{ return(asked or was_built_by_other_code()) }}
{%- endmacro %}

{% macro was_built_by_other_code() -%}
    {% if not execute or model.resource_type != 'model' or model.schema != 'marts' -%}
        {{ return(false) }}
    {%- endif %}
    {% set known = adapter.get_relation(target.database, 'intermediate', 'mart_builds') %}
    {% if known is none -%}{{ return(true) }}{%- endif %}
    {% set found = run_query("select code from " ~ known ~ " where mart = '" ~ model.name ~ "'") %}
    {{ return(found.rows | length == 0 or found.rows[0][0] != code_of_mart()) }}
{%- endmacro %}

{# Condition: the row was written since this mart's last build. #}
{% macro is_changed() -%}
    changed_xid >= (select since_xid from {{ mart_builds() }} where mart = '{{ this.name }}')
{%- endmacro %}

{# Condition: the row's key is among the changed rows of another relation. #}
{% macro is_touched(key, relation) -%}
    {{ key }} in (select {{ key }} from {{ relation }} where {{ is_changed() }})
{%- endmacro %}

{# Incremental strategy `rebuild`, for marts whose rows may vanish: whatever is touched is deleted,
   then what is there now is inserted. `meta.touched` names the model of touched keys. #}
{% macro get_incremental_rebuild_sql(arg_dict) -%}
    {% set touched = ref(config.get('meta')['touched']) %}
    delete from {{ arg_dict['target_relation'] }}
    where {{ is_touched(arg_dict['unique_key'], touched) }};
    {{ get_incremental_append_sql(arg_dict) }}
{%- endmacro %}
