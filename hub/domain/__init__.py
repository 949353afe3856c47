"""Pure decisions: members, points, coupons, orders, stock, money, events. No I/O, no clock, no
randomness: time and ids come as arguments."""
