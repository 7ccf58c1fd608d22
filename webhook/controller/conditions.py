"""CEL match conditions: the API server does not send what cannot bring a violation, so it passes without us.

A null old object is a creation. No condition fails, whatever is stored: what is too long to be compared is sent.
"""

from __future__ import annotations

from collections.abc import Iterable

from webhook.admission.compared import ADDS, INFERS, MOST_ITEMS, REQUESTS, Compared, Path
from webhook.kubevirt.restores import RESTORED_BY
from webhook.names import ENFORCEMENT, EXEMPT, REASON, UNVERIFIED

IS_NEW = "oldObject == null"
_SHORT_LIST = f"type(l) == list && size(l) <= {MOST_ITEMS}"


def comes(compared: Compared, *, labels: bool) -> str:
    """Return a condition that holds on a creation and where something changes that is compared.

    What was being deleted before is not sent, but for a change of our labels; without ``labels`` those do not count.
    A creation can say that it is being deleted, and would be stored all the same.
    """
    other = _differ("[object, oldObject]", "o", compared.others)
    changes = _adds_request() if compared.requests else f"{_changes_template(compared)} || {other}"
    evaluated = f"!has(oldObject.metadata.deletionTimestamp) && ({changes})"
    return " || ".join([IS_NEW, *([changes_labels()] if labels else []), evaluated])


def _changes_template(compared: Compared) -> str:
    lists = ", ".join(f"t.map(s, s{chain(path)}.orValue([]))" for path in compared.lists)
    lists_differ = f"[{lists}].exists(v, v[0] != v[1] && !({_only_loses(compared)}))"
    return _of_both(f"o{chain(compared.template)}", "t", f"{_differ('t', 's', compared.parts)} || {lists_differ}")


def _differ(both: str, one: str, paths: Iterable[Path]) -> str:
    """The values at the paths are not the same below both of two."""
    return f"[{both}.map({one}, [{_values(one, paths)}])].exists(v, v[0] != v[1])"


def _only_loses(compared: Compared) -> str:
    """Every item of a list was in the old one, and nothing else rests on the items that are gone."""
    parts = [f"v.all(l, {_SHORT_LIST})", "size(v[0]) <= size(v[1])", "v[0].all(i, i in v[1])"]
    if compared.matchers:
        parts.append(f"![{_values('object', compared.matchers)}].exists(m, m.?{INFERS}.hasValue())")
        requests = f"[oldObject{chain(REQUESTS)}.orValue([])]"
        parts.append(f"{requests}.all(l, {_SHORT_LIST} && !l.exists(r, r.?{ADDS}.hasValue()))")
    return " && ".join(parts)


def _adds_request() -> str:
    known = f"v.all(l, {_SHORT_LIST}) && v[0].all(r, r in v[1] || !r.?{ADDS}.hasValue())"
    return _of_both(f"o{chain(REQUESTS)}.orValue([])", "v", f"v[0] != v[1] && !({known})")


def changes_labels() -> str:
    """Return a condition that holds where one of our labels or its reason comes or changes, or an enforcement goes.

    It holds on a creation only with one of them. So many labels as nobody writes are not compared one by one.
    """
    exempt = f"k.startsWith('{EXEMPT}') && m[0].?labels[?k] != m[1].?labels[?k]"
    labels = f"[m[0].?labels.orValue({{}})].exists(l, size(l) > {MOST_ITEMS} || l.exists(k, {exempt}))"
    enforcement, reason = f".?labels[?'{ENFORCEMENT}']", f".?annotations[?'{REASON}']"
    changes = [
        labels,
        f"m[0]{enforcement} != m[1]{enforcement}",
        f"m[0]{reason}.hasValue() && m[0]{reason} != m[1]{reason}",
    ]
    return _of_both("o.?metadata.orValue({})", "m", " || ".join(changes))


def _of_both(value: str, name: str, condition: str) -> str:
    """A condition on a value of the new object and of the old one: CEL has no variables, but a list of one serves."""
    return f"[[object, oldObject].map(o, {value})].exists({name}, {condition})"


def _values(of: str, paths: Iterable[Path]) -> str:
    return ", ".join(f"{of}{chain(path)}" for path in paths)


def chain(path: Path) -> str:
    """Return how an optional value at a path below an object is written."""
    return "".join(f".?{key}" if key.isidentifier() else f"[?'{key}']" for key in path)


_OWNERS = "object.metadata.?ownerReferences.orValue([])"
VMI_OF_OWNER = f"{_OWNERS}.exists(owner, owner.?controller.orValue(false))"
"""A VMI for a VM or a ReplicaSet."""
_NUMBERED = (
    "object.metadata.name.startsWith(owner.name + '-') && "
    "object.metadata.name.substring(size(owner.name) + 1).matches('^[0-9]+$')"
)
_OF_POOL = f"owner.?controller.orValue(false) && owner.kind == 'VirtualMachinePool' && {_NUMBERED}"
VM_OF_POOL = (
    f"{_OWNERS}.exists(owner, {_OF_POOL}) && !has(object.spec.dataVolumeTemplates) && "
    f"!object.metadata.?annotations[?'{RESTORED_BY}'].hasValue()"
)
"""A VM for a Pool, which numbers them, and the DataVolumes of their templates with them."""


def is_not_made_for_owner(owned: str, kubevirt: str) -> str:
    """Return a condition that skips what KubeVirt, in its namespace, creates for an owner.

    ``owned`` is the condition that says so of the object. It was evaluated with the owner, but for what is unverified.
    """
    is_unverified = f"object.metadata.?annotations[?'{UNVERIFIED}'].hasValue()"
    controller = f"system:serviceaccount:{kubevirt}:kubevirt-controller"
    return f"oldObject != null || {is_unverified} || !(request.userInfo.username == '{controller}' && {owned})"
