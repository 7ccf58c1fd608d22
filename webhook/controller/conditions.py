"""CEL match conditions: the API server does not send a request that cannot add a violation, and admits it without us.

A null ``oldObject`` is a creation. No condition raises an error, whatever is stored: lists that are too long to be
compared are sent. CEL has no variables, so a list of one with ``map`` or ``exists`` names a value; short names keep
the configuration small:

====== ====================================================================
``o``  one of ``object`` and ``oldObject``
``t``  the values below the template, and ``m`` the metadata: [new, old]
``s``  one of ``t``: a VMI's spec
``v``  the compared values: [new, old]; ``l`` a list, or the labels
``i``  an item of a list; ``r`` a volume request; ``k`` the key of a label
====== ====================================================================
"""

from __future__ import annotations

from collections.abc import Iterable

from webhook.admission.compared import ADDS, INFERS, MOST_ITEMS, REQUESTS, Compared, Path
from webhook.kubevirt.restores import RESTORED_BY
from webhook.names import ENFORCEMENT, EXEMPT, REASON, UNVERIFIED

IS_NEW = "oldObject == null"
_SHORT_LIST = f"type(l) == list && size(l) <= {MOST_ITEMS}"


def changes(compared: Compared, *, labels: bool) -> str:
    """Return a condition that holds on a creation, and on an update that changes a compared path.

    An object that was being deleted is only sent where one of our labels changes, which counts only with ``labels``.
    A creation that says so is sent, since it would be stored all the same.
    """
    other = _differ("[object, oldObject]", "o", compared.others)
    relevant = _adds_request() if compared.requests else f"{_changes_template(compared)} || {other}"
    evaluated = f"!has(oldObject.metadata.deletionTimestamp) && ({relevant})"
    return " || ".join([IS_NEW, *([changes_labels()] if labels else []), evaluated])


def _changes_template(compared: Compared) -> str:
    lists = ", ".join(f"t.map(s, s{chain(path)}.orValue([]))" for path in compared.lists)
    lists_differ = f"[{lists}].exists(v, v[0] != v[1] && !({_only_loses(compared)}))"
    return _of_both(f"o{chain(compared.template)}", "t", f"{_differ('t', 's', compared.parts)} || {lists_differ}")


def _differ(both: str, one: str, paths: Iterable[Path]) -> str:
    """A value at one of the paths is not the same in both."""
    return f"[{both}.map({one}, [{_values(one, paths)}])].exists(v, v[0] != v[1])"


def _only_loses(compared: Compared) -> str:
    """Every item of a list was in the old one, and nothing else depends on the removed items."""
    parts = [f"v.all(l, {_SHORT_LIST})", "size(v[0]) <= size(v[1])", "v[0].all(i, i in v[1])"]
    if compared.matchers:
        parts.append(f"![{_values('object', compared.matchers)}].exists(i, i.?{INFERS}.hasValue())")
        requests = f"[oldObject{chain(REQUESTS)}.orValue([])]"
        parts.append(f"{requests}.all(l, {_SHORT_LIST} && !l.exists(r, r.?{ADDS}.hasValue()))")
    return " && ".join(parts)


def _adds_request() -> str:
    known = f"v.all(l, {_SHORT_LIST}) && v[0].all(r, r in v[1] || !r.?{ADDS}.hasValue())"
    return _of_both(f"o{chain(REQUESTS)}.orValue([])", "v", f"v[0] != v[1] && !({known})")


def changes_labels() -> str:
    """Return a condition that holds where an exemption, its reason or the enforcement is added or changed.

    The enforcement may also not be removed. An object with very many labels is sent without comparing them.
    """
    exempt = f"k.startsWith('{EXEMPT}') && m[0].?labels[?k] != m[1].?labels[?k]"
    labels = f"[m[0].?labels.orValue({{}})].exists(l, size(l) > {MOST_ITEMS} || l.exists(k, {exempt}))"
    enforcement, reason = f".?labels[?'{ENFORCEMENT}']", f".?annotations[?'{REASON}']"
    changed = f"m[0]{enforcement} != m[1]{enforcement} || m[0]{reason}.hasValue() && m[0]{reason} != m[1]{reason}"
    return _of_both("o.?metadata.orValue({})", "m", f"{labels} || {changed}")


def _of_both(value: str, name: str, condition: str) -> str:
    return f"[[object, oldObject].map(o, {value})].exists({name}, {condition})"


def _values(of: str, paths: Iterable[Path]) -> str:
    return ", ".join(f"{of}{chain(path)}" for path in paths)


def chain(path: Path) -> str:
    """Return CEL's optional selectors for a path."""
    return "".join(f".?{key}" if key.isidentifier() else f"[?'{key}']" for key in path)


_OWNERS = "object.metadata.?ownerReferences.orValue([])"
VMI_OF_OWNER = f"{_OWNERS}.exists(owner, owner.?controller.orValue(false))"
"""A VMI of a VM or a ReplicaSet."""
_NUMBERED = (
    "object.metadata.name.startsWith(owner.name + '-') && "
    "object.metadata.name.substring(size(owner.name) + 1).matches('^[0-9]+$')"
)
_OF_POOL = f"owner.?controller.orValue(false) && owner.kind == 'VirtualMachinePool' && {_NUMBERED}"
VM_OF_POOL = (
    f"{_OWNERS}.exists(owner, {_OF_POOL}) && !has(object.spec.dataVolumeTemplates) && "
    f"!object.metadata.?annotations[?'{RESTORED_BY}'].hasValue()"
)
"""A VM of a Pool, without DataVolumes, whose names the Pool numbers as it numbers its VMs."""


def has_no_owner(owned: str, kubevirt: str) -> str:
    """Return a condition that skips what KubeVirt, in its namespace, creates for an owner, unless it is unverified.

    It was evaluated with its owner. ``owned`` is the condition on the object's ownerReferences.
    """
    is_unverified = f"object.metadata.?annotations[?'{UNVERIFIED}'].hasValue()"
    controller = f"system:serviceaccount:{kubevirt}:kubevirt-controller"
    return f"oldObject != null || {is_unverified} || !(request.userInfo.username == '{controller}' && {owned})"
