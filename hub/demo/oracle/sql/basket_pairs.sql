select
    month_start_date as month,
    category,
    other_category,
    order_count,
    category_order_count,
    other_category_order_count,
    month_order_count,
    (lift * 10000)::bigint as lift_1e4
from marts.basket_pairs
where month_start_date < '2019-01-01'
