{#
    Where the rows of marts are kept, and how a build changes them.

    A mart's rows lie in one table of schema mart_rows. Each has the build it came with and the
    build it went with (build_from <= build < build_to), so a build closes and adds what differs
    and leaves the rest alone. Two views show a mart: candidates.<mart> what the build under way
    has, which the checks read, and marts.<mart> what was published last (macros/builds.sql).

    Columns with `meta: {personal: true}` have no history: what is erased is erased in all builds.
#}

{# As build_to: a row that is still there. #}
{% macro open_end() -%}9223372036854775807{%- endmacro %}

{# The table of this mart's rows, as its code makes them. #}
{% macro rows_of_mart() -%}
    {{ return(api.Relation.create(
        database=target.database,
        schema='mart_rows',
        identifier=model.name ~ '__' ~ code_of_mart()[:8],
        type='table'
    )) }}
{%- endmacro %}

{# Asked of Postgres: dbt's own cache may be half filled by another thread, and says that a table is
   missing that is there. #}
{% macro has_table(rows) -%}
    {% set found = run_query("select to_regclass('" ~ rows.schema ~ "." ~ rows.identifier ~ "')") %}
    {{ return(found.rows[0][0] is not none) }}
{%- endmacro %}

{# In place of dbt's `ref`: checks and models read a mart's candidate, not what is published. #}
{% macro ref() -%}
    {% set version = kwargs.get('version', kwargs.get('v')) %}
    {% set relation = builtins.ref(*varargs) if version is none
        else builtins.ref(*varargs, version=version) %}
    {% if execute and relation.schema == 'marts' -%}
        {{ return(relation.incorporate(path={'schema': 'candidates'})) }}
    {%- endif %}
    {{ return(relation) }}
{%- endmacro %}

{# The marts that this one is made of, by name. #}
{% macro marts_behind() -%}
    {% set ids = model.depends_on.nodes | default([]) %}
    {{ return(marts_of_project() | selectattr('unique_id', 'in', ids) | map(attribute='name')
        | sort | list) }}
{%- endmacro %}

{# In place of dbt's materialization of this name. #}
{% materialization incremental, adapter='postgres' -%}
    {% set rows = rows_of_mart() %}
    {% set is_new = not has_table(rows) %}
    {% set build = build_of_run() %}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {% if env_var('HUB_DBT_SNAPSHOT', '') and not marts_behind() -%}
        {% call statement('snapshot') -%}{{ read_run_snapshot() }}{%- endcall %}
    {%- endif %}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('bounds') -%}
        {% if is_new -%}{{ create_rows(rows) }};{%- endif %}
        {{ note_bounds(rows, build) }}
        {%- if is_incremental() and config.get('meta', {}).get('touched') -%}
        ;{{ keep_touched() }}
        {%- endif %}
    {%- endcall %}
    {% do get_assert_columns_equivalent(sql) %}
    {% call statement('main') -%}
        {{ fill_rows(rows, build, sql) if is_new else change_rows(rows, build, sql) }}
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [this.incorporate(type='view')]}) }}
{%- endmaterialization %}

{% macro key_of_mart() -%}
    {% set keys = model.constraints | selectattr('type', 'equalto', 'primary_key') | list %}
    {{ return(keys[0].columns) }}
{%- endmacro %}

{% macro columns_of_mart() -%}
    {{ return(model.columns.values() | map(attribute='name') | list) }}
{%- endmacro %}

{% macro create_rows(rows) -%}
    {% set key = key_of_mart() | join(', ') %}
    create table {{ rows }} (
        {%- for column in model.columns.values() %}
        {{ column.name }} {{ column.data_type }}
        {%- if column.constraints | selectattr('type', 'equalto', 'not_null') | list %} not null
        {%- endif %},
        {%- endfor %}
        build_from bigint not null,
        build_to bigint not null default {{ open_end() }},
        primary key ({{ key }}, build_from)
    );
    create unique index on {{ rows }} ({{ key }}) where build_to = {{ open_end() }};
    create index on {{ rows }} (build_to) where build_to < {{ open_end() }};
    create index on {{ rows }} using brin (build_from);
    {% for index in config.get('indexes', []) -%}
        create index on {{ rows }} ({{ index.columns | join(', ') }});
    {% endfor -%}
    drop view if exists candidates.{{ this.name }};
    create view candidates.{{ this.name }} as
    select {{ columns_of_mart() | join(', ') }}
    from {{ rows }}
    where build_to = {{ open_end() }}
{%- endmacro %}

{# The first build of a table compares with nothing. #}
{% macro fill_rows(rows, build, sql) -%}
    {% set columns = columns_of_mart() | join(', ') %}
    insert into {{ rows }} ({{ columns }}, build_from)
    select {{ columns }}, {{ build }} from (
{{ sql }}
    ) as model;
    analyze {{ rows }};
{%- endmacro %}

{% macro change_rows(rows, build, sql) -%}
    {% set columns = columns_of_mart() %}
    {% set key = key_of_mart() %}
    create temporary table fresh on commit drop as
    select {{ columns | join(', ') }} from (
{{ sql }}
    ) as model;
    -- Postgres guesses that few keys were touched, and looks each of them up.
    create unique index on fresh ({{ key | join(', ') }});
    analyze fresh;
    create temporary table stale on commit drop as
    select {{ prefixed('known', key) }}, known.build_from
    from {{ rows }} as known
    where
        known.build_to = {{ open_end() }}
        and {{ is_compared() }}
        and not exists (
            select 1 from fresh
            where
                {{ same(key, 'fresh', 'known') }}
                and ({{ prefixed('fresh', columns) }})
                is not distinct from ({{ prefixed('known', columns) }})
        );
    -- What no reader ever saw leaves no trace.
    delete from {{ rows }} as known using stale
    where
        {{ same(key, 'stale', 'known') }}
        and known.build_from = stale.build_from
        and known.build_from > coalesce((select build from mart_rows.published), 0);
    update {{ rows }} as known set build_to = {{ build }} from stale
    where
        {{ same(key, 'stale', 'known') }}
        and known.build_from = stale.build_from;
    insert into {{ rows }} ({{ columns | join(', ') }}, build_from)
    select {{ prefixed('fresh', columns) }}, {{ build }} from fresh
    where not exists (
        select 1 from {{ rows }} as known
        where known.build_to = {{ open_end() }} and {{ same(key, 'fresh', 'known') }}
    );
    {{ forget_personal(rows) }}
{%- endmacro %}

{# Condition: the known row may have changed. Marts whose rows can vanish keep the keys that were
   touched (keep_touched); in others a known row is compared with the fresh row of its key. #}
{% macro is_compared() -%}
    {% set meta = config.get('meta', {}) %}
    {% set is_all = run_query(
        "select since_xid = '0' from mart_rows.marts where mart = '" ~ this.name ~ "'"
    ).rows[0][0] %}
    {% if not is_incremental() or (is_all and not marts_behind()) -%}
        true
    {%- elif meta.get('touched') -%}
        ({{ prefixed('known', meta['touched_by'].split(', ')) }}) in (
            select {{ meta['touched_by'] }} from touched
        )
    {%- else -%}
        exists (select 1 from fresh where {{ same(key_of_mart(), 'fresh', 'known') }})
    {%- endif %}
{%- endmacro %}

{% macro forget_personal(rows) -%}
    {% set key = key_of_mart() %}
    {% for column in personal_of(model) -%}
        update {{ rows }} as closed set {{ column }} = coalesce(shown.{{ column }}, '***')
        from stale left join {{ rows }} as shown
            on {{ same(key, 'shown', 'stale') }} and shown.build_to = {{ open_end() }}
        where
            {{ same(key, 'stale', 'closed') }}
            and closed.build_to < {{ open_end() }}
            and closed.{{ column }} is distinct from coalesce(shown.{{ column }}, '***');
    {% endfor -%}
{%- endmacro %}

{# The columns of a mart that name a person or are as good as money. #}
{% macro personal_of(mart) -%}
    {% set found = [] %}
    {% for column in mart.columns.values() if column.config.meta.get('personal') -%}
        {% do found.append(column.name) %}
    {%- endfor %}
    {{ return(found) }}
{%- endmacro %}

{% macro prefixed(relation, columns) -%}
    {% for column in columns %}{{ relation }}.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
{%- endmacro %}

{% macro same(key, one, other) -%}
    {% for column in key -%}
        {{ one }}.{{ column }} = {{ other }}.{{ column }}{{ ' and ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
