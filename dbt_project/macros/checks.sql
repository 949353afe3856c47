{#
    What checks read.

    What readers see passed every check. A build that changes 1 % of the rows has to check these,
    with what hangs on them, and not the rest again: so in `dbt build` a check reads the rows in
    which a mart differs from what readers see, old and new. All of it is read by the first build
    of a day, by one that refreshes fully, after the checks themselves changed, and by `dbt test`.

    Not so where a sum of the whole is what is promised, or comparing costs as much as reading.
#}

{# Whether checks of this run read all rows. #}
{% macro is_whole() -%}
    {% if not execute or flags.WHICH != 'build' or flags.FULL_REFRESH -%}
        {{ return(true) }}
    {%- endif %}
    {% set found = run_query(
        "select not exists (select 1 from mart_rows.published join mart_rows.builds using (build)"
        " where " ~ business_date('builds.ended_at') ~ " = " ~ business_date('now()')
        ~ " and builds.checks_code = '" ~ code_of_checks() ~ "')"
    ) %}
    {{ return(found.rows[0][0]) }}
{%- endmacro %}

{# Digest of all checks. #}
{% macro code_of_checks() -%}
    {% set parts = [] %}
    {% for node in graph.nodes.values() | sort(attribute='unique_id')
        if node.resource_type == 'test' -%}
        {% do parts.append(node.unique_id ~ node.raw_code ~ node.get('test_metadata')) %}
    {%- endfor %}
    {{ return(local_md5(parts | join('|'))) }}
{%- endmacro %}

{# The rows of a table of rows that came (is_there) or went since what readers see. The build is
   written out, so that Postgres knows how few they are. #}
{% macro changed_rows(table, columns) -%}
    {% set shown = run_query("select coalesce(max(build), 0) from mart_rows.published").rows[0][0] %}
    (
        select {{ columns | join(', ') }}, true as is_there
        from mart_rows.{{ table }}
        where build_from > {{ shown }} and build_to = {{ open_end() }}
        union all
        select {{ columns | join(', ') }}, false as is_there
        from mart_rows.{{ table }}
        where build_to > {{ shown }} and build_to < {{ open_end() }}
    ) as changed
{%- endmacro %}

{# The same of a mart, by its name. #}
{% macro changed_of(name) -%}
    {% set mart = marts_of_project() | selectattr('name', 'equalto', name) | first %}
    {% set found = run_query(
        "select rows_table from mart_rows.marts where mart = '" ~ name ~ "'"
    ) %}
    {{ return(changed_rows(found.rows[0][0], mart.columns.keys() | list)) }}
{%- endmacro %}

{# Condition of a check: the key is of a changed row of these marts, or all rows are read. #}
{% macro is_of_changed(key, names) -%}
    {% if is_whole() -%}
        true
    {%- else -%}
        ({{ key }}) in (
        {%- for name in names %}
            select {{ key }} from {{ changed_of(name) }}
            {{ 'union' if not loop.last }}
        {%- endfor %}
        )
    {%- endif %}
{%- endmacro %}

{# All below this transaction is in what readers see. #}
{% macro bound_of_readers() -%}
    {% set found = run_query(
        "select bound_xid::text from mart_rows.published join mart_rows.builds using (build)"
    ) %}
    {{ return(found.rows[0][0]) }}
{%- endmacro %}

{# In place of dbt's macro of this name: the rows that a generic test looks at. #}
{% macro get_where_subquery(relation) -%}
    {% set test = model.get('test_metadata', {}) %}
    {% if config.get('where') or relation.schema != 'candidates' or is_whole() -%}
        {{ return(default__get_where_subquery(relation)) }}
    {%- endif %}
    {% set name, column = relation.identifier, model.get('column_name') %}
    {% set key = test.kwargs.get('columns', [column]) | join(', ') %}
    {% if test.name in ('holds', 'not_null', 'accepted_values') -%}
        {{ return('(select * from ' ~ changed_of(name) ~ ' where is_there) as looked_at') }}
    {%- elif test.name in ('unique', 'unique_together') -%}
        {{ return('(select * from ' ~ relation ~ ' where ' ~ is_of_changed(key, [name])
            ~ ') as looked_at') }}
    {%- elif test.name == 'relationships' and test.kwargs['to'].split("'")[1] in
        marts_of_project() | map(attribute='name') | list -%}
        {{ return('(select * from ' ~ relation ~ ' where ' ~ column ~ ' in (select ' ~ column
            ~ ' from ' ~ changed_of(name) ~ ' union select ' ~ test.kwargs['field'] ~ ' from '
            ~ changed_of(test.kwargs['to'].split("'")[1]) ~ ' where not is_there)) as looked_at') }}
    {%- endif %}
    {{ return(relation) }}
{%- endmacro %}
