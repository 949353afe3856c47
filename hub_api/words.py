"""What the API says when it refuses: each problem's code, status and words in two languages.

Not here: how a problem becomes an answer (`hub_api.problems`).
"""

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Words:
    """Title and detail of a problem in one language; `{name}` in a detail is filled in."""

    title: str
    detail: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its HTTP status and its words."""

    status: int
    en: Words
    zh: Words

    def words(self, language: Language) -> Words:
        return self.zh if language == "zh" else self.en


KINDS: dict[str, Kind] = {
    "bad-json": Kind(
        400,
        Words("The body is not valid JSON", "See `errors` for where it goes wrong."),
        Words("请求体不是有效的 JSON", "出错的位置见 `errors`。"),
    ),
    "bad-cursor": Kind(
        400,
        Words("The cursor is not valid here", "Use `next_cursor` as it came, with the same path."),
        Words("分页游标无效", "请原样使用上一页返回的 `next_cursor`,并保持请求路径不变。"),
    ),
    "bad-request": Kind(
        400,
        Words("The request can't be read", "See `errors` for what is wrong with it."),
        Words("无法读取该请求", "问题见 `errors`。"),
    ),
    "unauthorized": Kind(
        401,
        Words("A valid key is needed", "Send `Authorization: Bearer <key>` with a key in force."),
        Words("需要有效的密钥", "请发送 `Authorization: Bearer <密钥>`,且密钥未被吊销。"),
    ),
    "login-refused": Kind(
        401,
        Words("Nobody has this name and password", "Check both and try again."),
        Words("用户名或密码不正确", "请核对后重试。"),
    ),
    "session-over": Kind(
        401,
        Words("The session is over", "Log in again."),
        Words("登录已失效", "请重新登录。"),
    ),
    "forged": Kind(
        403,
        Words(
            "The request may come from another site",
            "Changes by a session carry `X-CSRF-Token` as `GET /v1/session` gives it, and come "
            "from the hub's own pages.",
        ),
        Words(
            "该请求可能来自其他网站",
            "使用会话进行的修改须携带 `GET /v1/session` 返回的 `X-CSRF-Token`,"
            "并且来自中台自己的页面。",
        ),
    ),
    "scope-missing": Kind(
        403,
        Words("The key does not allow this", "It lacks the scope {scope}."),
        Words("该密钥没有此权限", "缺少权限范围 {scope}。"),
    ),
    "no-store": Kind(
        403,
        Words("You work in no store", "Only a clerk does this, in the store of the clerk."),
        Words("您不属于任何门店", "只有门店店员可以操作,且仅限本店。"),
    ),
    "foreign-channel": Kind(
        403,
        Words("The key is of another channel", "It may act for its own channel only."),
        Words("该密钥属于其他渠道", "密钥只能用于它自己的渠道。"),
    ),
    "not-found": Kind(
        404,
        Words("There is nothing here", "It does not exist, or the key may not see it."),
        Words("未找到", "对象不存在,或该密钥无权查看。"),
    ),
    "event-unknown": Kind(
        404,
        Words(
            "The hub has not stored this event",
            "It was never accepted, or it still waits in Kafka: follow the `status_url` of the "
            "answer that accepted it to tell these apart, or ask again in a second.",
        ),
        Words(
            "中台尚未保存该事件",
            "该事件从未被接收,或仍在 Kafka 中等待处理:请使用接收时返回的 `status_url` 加以区分,"
            "或一秒后再查询。",
        ),
    ),
    "method-not-allowed": Kind(
        405,
        Words("This method is not allowed here", "See the header `Allow` for those that are."),
        Words("不支持该请求方法", "允许的方法见响应头 `Allow`。"),
    ),
    "not-acceptable": Kind(
        406,
        Words("No answer of the kind you accept", "The API answers in JSON."),
        Words("无法提供所要求的格式", "接口只返回 JSON。"),
    ),
    "webhook-refused": Kind(
        401,
        Words("The push is not the platform's", "{reason} ({cause})"),
        Words("推送未通过验证", "{reason}({cause})"),
    ),
    "webhook-unreadable": Kind(
        400,
        Words("The push can't be read", "{reason} ({cause})"),
        Words("无法读取该推送", "{reason}({cause})"),
    ),
    "body-timeout": Kind(
        408,
        Words("The body came too slowly", "It must be complete within {seconds} seconds."),
        Words("请求体传输过慢", "请在 {seconds} 秒内发送完毕。"),
    ),
    "body-too-large": Kind(
        413,
        Words("The body is too large", "Send at most {bytes} bytes, decompressed, at once."),
        Words("请求体过大", "每次最多发送 {bytes} 字节(解压后)。"),
    ),
    "target-too-long": Kind(
        414,
        Words("The address is too long", "It may have {bytes} bytes."),
        Words("请求地址过长", "最多 {bytes} 字节。"),
    ),
    "unsupported-media-type": Kind(
        415,
        Words(
            "The body's type is not understood",
            "Send application/json, application/cloudevents+json or "
            "application/cloudevents-batch+json in UTF-8, plain or as gzip.",
        ),
        Words(
            "不支持该内容类型",
            "请以 UTF-8 发送 application/json、application/cloudevents+json 或 "
            "application/cloudevents-batch+json,可用 gzip 压缩。",
        ),
    ),
    "bad-events": Kind(
        422,
        Words(
            "Nothing was accepted",
            "{count} of {total} events can't be taken, so none was: mend or remove those named in "
            "`errors` and send the rest again.",
        ),
        Words(
            "没有接收任何事件",
            "{total} 个事件中有 {count} 个有误,因此整批未被接收:请修正或移除 `errors` "
            "中列出的事件后重新发送。",
        ),
    ),
    "invalid": Kind(
        422,
        Words("The request has wrong values", "See `errors` for each field and its reason."),
        Words("请求参数有误", "各字段的原因见 `errors`。"),
    ),
    "too-many-logins": Kind(
        429,
        Words("Too many logins failed", "Wait {seconds} seconds before the next."),
        Words("登录失败次数过多", "请在 {seconds} 秒后再试。"),
    ),
    "too-many-misses": Kind(
        429,
        Words("Too many lookups found nothing", "Wait {seconds} seconds before the next."),
        Words("查询未命中次数过多", "请在 {seconds} 秒后再试。"),
    ),
    "too-many-requests": Kind(
        429,
        Words("Too many requests", "This key may make {count} a second; `Retry-After` says when."),
        Words("请求过于频繁", "该密钥每秒最多 {count} 次请求,请按 `Retry-After` 重试。"),
    ),
    "headers-too-large": Kind(
        431,
        Words("Too many headers", "At most {count} headers of {bytes} bytes in all are read."),
        Words("请求头过多", "最多 {count} 个请求头,总计 {bytes} 字节。"),
    ),
    "refused": Kind(
        409,
        Words("It is not possible as things are", "{reason} ({cause})"),
        Words("当前无法执行该操作", "{reason}({cause})"),
    ),
    "request-in-flight": Kind(
        409,
        Words(
            "The same request is being done",
            "Another request with this idempotency key is not answered yet: send this one again "
            "after `Retry-After` to get its answer.",
        ),
        Words(
            "相同请求正在处理中",
            "使用该幂等键的另一个请求尚未完成,请按 `Retry-After` 原样重发以取得其答复。",
        ),
    ),
    "idempotency-key-reused": Kind(
        422,
        Words(
            "The idempotency key came before with another request",
            "Use a new key for a new request; send the same request to get its answer again.",
        ),
        Words(
            "该幂等键已用于另一个请求", "新请求请使用新的幂等键;要再次取得答复,请原样重发原请求。"
        ),
    ),
    "internal": Kind(
        500,
        Words("The hub failed", "It is noted in the hub's log under the id in `instance`."),
        Words("中台内部错误", "错误已记录在中台日志中,编号见 `instance`。"),
    ),
    "kafka-away": Kind(
        503,
        Words(
            "Events can't be taken now",
            "Kafka did not confirm all events in time. Send the same batch again: events that "
            "arrived are recognised by their ids and count once.",
        ),
        Words(
            "暂时无法接收事件",
            "Kafka 未能及时确认全部事件。请原样重新发送:已到达的事件按其 id 识别,只计一次。",
        ),
    ),
    "channel-off": Kind(
        503,
        Words("The channel is switched off", "Send the push again later."),
        Words("该渠道已停用", "请稍后重新推送。"),
    ),
    "detail-away": Kind(
        503,
        Words(
            "The platform's detail can't be read now",
            "Nothing was taken: send the push again later.",
        ),
        Words("暂时无法读取平台详情", "未接收任何内容,请稍后重新推送。"),
    ),
    "platform-silent": Kind(
        503,
        Words(
            "The platform did not answer whether it is done",
            "Send the same request again: the platform is asked first, and nothing is done twice.",
        ),
        Words("平台未答复是否已完成", "请原样重新发送:会先向平台查询,不会重复执行。"),
    ),
    "postgres-away": Kind(
        503,
        Words("The database does not answer", "Try again shortly."),
        Words("数据库没有响应", "请稍后再试。"),
    ),
    "busy": Kind(
        503,
        Words("The API is busy", "Too many requests are being handled: try again shortly."),
        Words("接口繁忙", "正在处理的请求过多,请稍后再试。"),
    ),
    "not-ready": Kind(
        503,
        Words("Not ready", "See `errors` for what does not answer."),
        Words("尚未就绪", "没有响应的部分见 `errors`。"),
    ),
    "time-limit": Kind(
        504,
        Words("It took too long", "The answer was not ready within {seconds} seconds."),
        Words("处理超时", "未能在 {seconds} 秒内完成。"),
    ),
}
"""Every problem the API can answer, by its code (the last part of its `type`)."""


def preferred(accept_language: str) -> Language:
    """The language a reader wants most of those we have; English if unclear."""
    best: tuple[float, Language] = (0.0, "en")
    for choice in accept_language[:256].split(","):
        tag, _, weight = choice.strip().partition(";q=")
        language = tag.strip().lower().partition("-")[0]
        quality = _quality(weight)
        if language in LANGUAGES and quality > best[0]:
            best = (quality, "zh" if language == "zh" else "en")
    return best[1]


def _quality(weight: str) -> float:
    try:
        quality = float(weight) if weight else 1.0
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0
