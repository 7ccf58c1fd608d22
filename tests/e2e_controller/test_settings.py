"""Settings that reach the webhook configurations: the global mode, and the switch that takes them away."""

from tests.e2e_controller.release import MUTATING, VALIDATING, Release, await_that
from webhook.controller.webhook_configurations import TIMEOUT_SECONDS
from webhook.objects import items


def policies(release: Release) -> set[str]:
    """Return the failurePolicies of the webhooks that may deny a VM or a label."""
    live = release.read(VALIDATING) or {}
    denying = [webhook for webhook in items(live.get("webhooks")) if webhook["timeoutSeconds"] == TIMEOUT_SECONDS]
    return {webhook["failurePolicy"] for webhook in denying}


def test_what_is_only_warned_of_is_not_denied_without_us_either(installed: Release) -> None:
    assert policies(installed) == {"Fail"}
    installed.settings({"mode": "warn"})
    await_that(lambda: policies(installed) == {"Ignore"}, "webhook configurations that let by")
    installed.settings({})
    await_that(lambda: policies(installed) == {"Fail"}, "webhook configurations that deny")


def test_the_emergency_switch_takes_the_webhook_configurations_away_and_gives_them_back(installed: Release) -> None:
    installed.settings({"webhookConfigurations": "off"})
    await_that(
        lambda: not installed.read(VALIDATING) and not installed.read(MUTATING), "end of the webhook configurations"
    )
    assert installed.replicas[0].is_ready
    assert not installed.denies
    installed.settings({})
    installed.await_in_force()
