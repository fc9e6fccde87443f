"""Whether IAM lets a request pass: the rules of AWS's policy evaluation, for the elements that stack.yaml uses.

An explicit Deny wins, then an Allow, else nothing is allowed. Identity and resource policies of one account are one list here.
Actions are compared without regard to case, resources with; `*` and `?` are wildcards in both. AWS lets a `*` that ends a
segment of an ARN match beyond the colon, so `*` matches anything here: what is refused here is refused there.
"""

import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """An action on a resource, by whom, and the condition keys that AWS would know of it."""

    action: str
    resource: str
    context: dict = field(default_factory=dict)
    principal: tuple = ("AWS", "*")


def listed(value):
    return value if isinstance(value, list) else [value]


def like(pattern, text, flags=0):
    spelled = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern)
    return re.fullmatch(spelled, text, flags | re.DOTALL) is not None


def _boolean(text):
    return str(text).lower()


# Operator -> (how a wanted value is met by a found one, whether it is a negation).
OPERATORS = {
    "StringEquals": (lambda want, got: want == got, False),
    "StringNotEquals": (lambda want, got: want == got, True),
    "StringLike": (like, False),
    "StringNotLike": (like, True),
    "ArnEquals": (like, False),
    "ArnLike": (like, False),
    "Bool": (lambda want, got: _boolean(want) == _boolean(got), False),
    "NumericLessThan": (lambda want, got: float(got) < float(want), False),
}


def holds(operator, wanted, found):
    """Whether `found` (none: the request has no such key) meets the condition."""
    whole, _, name = operator.rpartition(":")
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name not in OPERATORS or whole not in ("", "ForAllValues", "ForAnyValue"):
        raise ValueError(f"condition operator {operator} is not known here")
    meets, negated = OPERATORS[name]
    wanted = listed(wanted)
    if any("${" in str(one) for one in wanted):
        raise ValueError(f"{wanted}: policy variables are not known here")
    if found is None:
        return optional or negated or whole == "ForAllValues"
    # Several wanted values are alternatives; of a negation, none may be met.
    each = [any(meets(want, got) for want in wanted) != negated for got in listed(found)]
    return any(each) if whole == "ForAnyValue" else all(each)


def applies(statement, request):
    """Whether the statement is about this request."""
    known = {"Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "Condition"}
    if unknown := set(statement) - known:
        raise ValueError(f"{sorted(unknown)} are not known here")
    if "NotAction" in statement:
        acts = not any(like(one, request.action, re.IGNORECASE) for one in listed(statement["NotAction"]))
    else:
        acts = any(like(one, request.action, re.IGNORECASE) for one in listed(statement["Action"]))
    # A trust policy has no resource: it is the role's own.
    on = "Resource" not in statement or any(like(one, request.resource) for one in listed(statement["Resource"]))
    by = True
    if (principal := statement.get("Principal", "*")) != "*":
        kind, name = request.principal
        by = any(one in (name, "*") for one in listed(principal.get(kind, [])))
    context = {key.lower(): value for key, value in request.context.items()}
    return acts and on and by and all(
        holds(operator, wanted, context.get(key.lower()))
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )


def allowed(statements, request):
    """Whether the request passes."""
    effects = [statement["Effect"] for statement in statements if applies(statement, request)]
    return "Deny" not in effects and "Allow" in effects
