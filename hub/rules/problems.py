"""What is wrong with a rule: where in its document, why, and what to do, in two languages."""

from collections.abc import Sequence

from msgspec import Struct

from hub.errors import HubError

WORDS: dict[str, tuple[str, str]] = {
    "syntax": ("the document can't be read: {why}", "无法解析文档:{why}"),
    "too_large": ("{what} is {size}, at most {limit} is allowed", "{what} 为 {size},上限 {limit}"),
    "too_deep": ("nested more than {limit} levels deep", "嵌套层级超过 {limit}"),
    "duplicate_key": ("'{key}' stands here twice; remove one", "“{key}”重复,请删除一个"),
    "alias": ("aliases (& and *) are not allowed; write it out", "不支持 YAML 别名,请直接写出内容"),
    "shape": ("{why}; see the reference of rules", "{why};请参照规则说明修改"),
    "trigger": (
        "name either `events` or a `schedule`, and one of them only",
        "触发条件需要且只能填写 `events` 或 `schedule` 之一",
    ),
    "unknown_event": (
        "there is no event '{name}'; did you mean {near}?",
        "没有事件“{name}”,是否为 {near}?",
    ),
    "unknown_field": (
        "{event} has no field '{name}'; did you mean {near}?",
        "{event} 中没有字段“{name}”,是否为 {near}?",
    ),
    "bad_path": (
        "'{name}' is no path; write it as data.lines[0].sku",
        "“{name}”不是有效路径,请写成 data.lines[0].sku 的形式",
    ),
    "one_source": (
        "give exactly one of from, constant, computed, lookup, template",
        "from、constant、computed、lookup、template 必须且只能填写一个",
    ),
    "unknown_table": (
        "there is no table '{name}' under `tables`; add it",
        "`tables` 中没有“{name}”,请添加",
    ),
    "same_target": (
        "'{name}' is filled by another field already; keep one",
        "目标“{name}”已由其他字段填写,请保留一个",
    ),
    "default_missing": ("on_missing or on_null is `default`: give a `default`", "请填写 `default`"),
    "mode_missing": (
        "a quantity is a change or a count: set `mode` to delta or absolute",
        "数量必须注明 `mode`:delta(变化量)或 absolute(绝对值)",
    ),
    "items_missing": ("a list needs `items`: the fields of each", "列表需要 `items`,即每项的字段"),
    "zone": ("there is no time zone '{name}'; such as Asia/Shanghai", "没有时区“{name}”"),
    "template": (
        "a template holds text and {{path}} only: {why}",
        "模板只能包含文字和 {{路径}}:{why}",
    ),
    "condition": (
        "a condition is one of field+op, cel, all, any, not",
        "条件必须是 field+op、cel、all、any、not 之一",
    ),
    "operand": ("the comparison '{op}' needs {needs}", "比较“{op}”需要 {needs}"),
    "action_lacks": (
        "'{action}' needs {name}; add a field with this target under `with`",
        "动作“{action}”需要 {name},请在 `with` 中添加",
    ),
    "unknown_target": (
        "'{action}' does not know '{name}'; it knows {known}",
        "动作“{action}”不认识“{name}”,可用:{known}",
    ),
    "unavailable_set_tier": (
        "levels follow from the scheme of tiers; no rule sets them",
        "会员等级由等级方案计算得出,不能由规则设置",
    ),
    "no_segment": (
        "there is no segment '{name}'; there is: {near}",
        "没有名为 '{name}' 的人群,现有:{near}",
    ),
    "stock_of_no_channel": (
        "stock belongs to no channel; leave `channels` out",
        "库存不属于任何渠道,请去掉 `channels`",
    ),
    "no_channel": ("'{name}' is no name of a channel", "“{name}”不是渠道名称"),
    "no_topic": (
        "'{name}' is no topic that rules may write: one of your own, not one of the hub's",
        "规则不能写入主题“{name}”:请使用自有主题,不能是数据中台的主题",
    ),
    "personal": (
        "{name} is personal: it may be delivered, but not kept by a command or an order key",
        "{name} 属于个人信息:可以下发,但不能由命令或 order_key 保存",
    ),
    "nothing_to_do": ("the rule has no action; add one", "规则没有动作,请至少添加一个"),
    "same_action": ("two actions are called '{name}'; rename one", "有两个动作都叫“{name}”"),
    "address": (
        "'{name}' is not among the allowed addresses; ask an administrator to allow it",
        "地址“{name}”不在允许范围内,请联系管理员",
    ),
    "cel": ("{why}", "表达式有误:{why}"),
    "cel_type": ("gives {got}, but {wanted} is needed", "结果为 {got},需要 {wanted}"),
    "cel_number_text": (
        "'{name}' is an amount or quantity written as text: compare money({name}) in minor "
        "units, or quantity({name}) in thousandths",
        "“{name}”是文本形式的金额或数量:请用 money({name})(分)或 quantity({name})(千分之一)比较",
    ),
    "cel_nested": (
        "loops may not be nested like this: {why}; use exists or all inside",
        "循环不能这样嵌套:{why};请在内层使用 exists 或 all",
    ),
    "cel_concatenation": (
        "text and lists can't be joined {why}; use a template",
        "不能{why}拼接文本或列表,请使用模板",
    ),
    "cel_pattern": (
        "a pattern must be written out, at most {limit} characters",
        "匹配模式必须直接写出,最多 {limit} 个字符",
    ),
}
"""Code -> English and Chinese; `{name}` is filled in."""


class Problem(Struct, frozen=True):
    """One thing that is wrong. path: such as `$.map[2].from`; line and column count from 1."""

    code: str
    path: str
    line: int
    column: int
    en: str
    zh: str

    def __str__(self) -> str:
        return f"{self.path} (line {self.line}, column {self.column}): {self.en}"


class RuleInvalid(HubError):
    """The rule cannot be used."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(str(one) for one in problems), where=problems[0].path)
        self.problems = tuple(problems)


def problem(code: str, path: str, place: tuple[int, int] = (1, 1), **words: object) -> Problem:
    """A problem in words. place: line and column."""
    en, zh = WORDS[code]
    return Problem(code, path, *place, en.format(**words), zh.format(**words))
