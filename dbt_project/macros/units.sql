{# A quantity in thousandths as a decimal number. #}
{% macro quantity(milli) -%}
    (({{ milli }}) / 1000.0)::numeric(18, 3)
{%- endmacro %}

{# The date of a moment in the business's zone: a sale at 00:30 in Shanghai is of that day. #}
{% macro business_date(moment) -%}
    ({{ moment }} at time zone '{{ env_var("HUB_BUSINESS_ZONE", var("business_zone")) }}')::date
{%- endmacro %}

{# Whether an event's source is of a channel for trying out, as `hub.domain.sandbox` has it. #}
{% macro is_sandbox(source) -%}
    coalesce({{ source }} ~ '^/channels/sandbox(-[^/]*)?/', false)
{%- endmacro %}

{# Sum of a line's discounts of one kind; an entry is [kind, amount in minor units, coupon]. #}
{% macro discount_minor(kind) -%}
    (sum((discount.entry ->> 1)::bigint) filter (where discount.entry ->> 0 = '{{ kind }}'))::bigint
{%- endmacro %}
