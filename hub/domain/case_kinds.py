"""What each kind of case is called, and what can be done about it.

Which cases there are is said where they are opened (`hub.store.cases.follow`).
"""

from hub.domain.cases import Kind, Repair, Words

_REVERSE = Repair(
    "POST /v1/coupons/{code}/reverse",
    Words("Undo the redemption that does not count", "撤销不成立的核销"),
)
_REFUND = Repair(
    "POST /v1/orders/{id}/refunds",
    Words("Have it paid back, and tell the channel", "退款并通知渠道"),
)
_PICKUP = Repair(
    "POST /v1/orders/{id}/pickup", Words("Agree on another store or time", "改约门店或时间")
)
_MERGE = Repair(
    "POST /v1/members/{id}/merge",
    Words("They are one person: merge, after the preview", "确认为同一人:预览后合并"),
)
_SPLIT = Repair(
    "POST /v1/members/{id}/split",
    Words("They are two persons: keep them apart", "确认为两人:保持分开"),
)
_ADJUST = Repair("POST /v1/points/adjustments", Words("Correct the points", "调整积分"))

KINDS: dict[str, Kind] = {
    "approval": Kind(
        Words("A second person has to agree", "待第二人审批"),
        (
            Repair(
                "POST /v1/approvals/{id}/grant", Words("Agree: it is done at once", "同意并执行")
            ),
            Repair(
                "POST /v1/approvals/{id}/decline", Words("Decline, with the reason", "拒绝并说明")
            ),
        ),
    ),
    "manual": Kind(
        Words("Somebody asked to look into it", "人工登记的问题"),
        (),
        ("compensated", "written_off", "confirmed"),
    ),
    "oversold": Kind(
        Words("More was sold than there is", "超卖"),
        (
            Repair(
                "POST /v1/channels/{channel}/events",
                Words("Bring goods: tell their receipt or transfer", "补货:上报入库或调拨"),
            ),
            _REFUND,
        ),
    ),
    "no_show": Kind(
        Words("Nobody came for an order", "顾客未到店取货"),
        (_PICKUP, _REFUND),
        ("compensated", "written_off", "confirmed"),
    ),
    "paid_after_cancellation": Kind(
        Words("Money came for an order that was called off", "订单取消后收到付款"), (_REFUND,)
    ),
    "allotted_beyond_stock": Kind(
        Words("More is kept for channels than there is", "渠道配额超过可用库存"),
        (
            Repair(
                "POST /v1/allotments",
                Words("Split anew what is there", "按现有库存重新分配"),
            ),
        ),
    ),
    "transfer_differs": Kind(
        Words("Not all of a transfer arrived", "调拨数量不符"),
        (
            Repair(
                "POST /v1/channels/{channel}/events",
                Words("Tell what else arrived, or was lost", "上报后续到货或丢失"),
            ),
        ),
        ("written_off", "confirmed"),
    ),
    "inspected_more": Kind(
        Words("More was inspected than lay aside", "质检数量多于待检"),
        (
            Repair(
                "POST /v1/channels/{channel}/events",
                Words("Tell what was blocked or returned before", "补报锁定或退货"),
            ),
        ),
    ),
    "coupon_refused": Kind(
        Words("A redemption does not count", "核销未被承认"),
        (_REVERSE,),
        ("compensated", "written_off", "confirmed"),
    ),
    "coupon_unanswered": Kind(
        Words("A platform did not answer whether a voucher was used", "平台未答复,核销结果未知"),
        (
            Repair(
                "POST /v1/coupons/{code}/redeem",
                Words("Try the same use again: it asks first", "重试同一次核销:先向平台查询"),
            ),
        ),
        ("written_off", "confirmed"),
    ),
    "coupon_refunded_late": Kind(
        Words("A refund came after the voucher was used", "核销后收到退款"),
        (_REVERSE,),
        ("written_off", "confirmed"),
    ),
    "coupon_refund_owed": Kind(
        Words("A coupon expired whose money is owed", "券已过期,应退款未退"),
        (
            Repair(
                "POST /v1/coupons/{code}/refund",
                Words("Pay the buyer back, and tell so", "退款给购买人并登记"),
            ),
        ),
        ("compensated", "written_off", "confirmed"),
    ),
    "coupon_refund_differs": Kind(
        Words("Another amount was paid back than was due", "券退款金额与应退金额不符"),
        (_REVERSE,),
        ("compensated", "written_off", "confirmed"),
    ),
    "coupon_once_per_person": Kind(
        Words(
            "A person used several coupons of which one is allowed", "限用一次的券被同一人多次使用"
        ),
        (
            _REVERSE,
            Repair(
                "POST /v1/members/{id}/split",
                Words("They are two persons: keep them apart", "确认为两人:保持分开"),
            ),
        ),
        ("written_off", "confirmed"),
    ),
    "points_overspent": Kind(
        Words("More points were spent than there were", "积分透支"), (_ADJUST,)
    ),
    "points_disputed": Kind(
        Words("A channel reports another spending than was decided", "渠道上报与中台决定不一致"),
        (_ADJUST,),
        ("compensated", "written_off", "confirmed"),
    ),
    "identifier_shared": Kind(
        Words("Several accounts show one identifier", "多个账号共用同一标识"), (_MERGE, _SPLIT)
    ),
    "identifier_reassigned": Kind(
        Words("An identifier went to somebody else", "标识已转给他人"), (_MERGE, _SPLIT)
    ),
    "identifier_overused": Kind(
        Words("One identifier stands for too many accounts", "同一标识关联账号过多"), (_SPLIT,)
    ),
    "rulings_contradict": Kind(
        Words("What people ruled about accounts contradicts itself", "人工判定互相矛盾"),
        (_MERGE, _SPLIT),
    ),
}
OTHER = Kind(
    Words("Something needs a person", "需要人工处理"),
    (),
    ("compensated", "written_off", "confirmed"),
)


def kind(name: str) -> Kind:
    """The kind of this name; one that nobody described can be settled all the same."""
    return KINDS.get(name, OTHER)
