"""Prometheus: what the metrics on the bus become, how many series there may be, and that nothing global changes."""

from pathlib import Path

import prometheus_client
import pytest
from prometheus_client.parser import text_string_to_metric_families

from llmgine.engine import ask
from llmgine.errors import ProviderRefusedError
from llmgine.messages.chat_messages import Usage
from llmgine.observability import Metric, MetricEvent, names
from llmgine.observability.families import FAMILIES, Family, Kind
from llmgine.observability.prometheus import MOST_SERIES, PrometheusSink
from llmgine.providers.base import ChatReply
from llmgine.providers.scripted import ScriptedReply
from programs.discord.delivery.metrics import FAMILIES as OF_DISCORD
from tests.documents import check_table
from tests.llmgine.engine.chat import call, prompt
from tests.llmgine.observability.application import application


def values(sink: PrometheusSink) -> dict[tuple[str, ...], float]:
    """What is exported of the bot itself, by name and labels."""
    families = text_string_to_metric_families(sink.render()[0].decode())
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
        if "le" not in sample.labels and not sample.name.endswith("_created")
    }


def recorded(*metrics: Metric, families: tuple[Family, ...] = ()) -> dict[tuple[str, ...], float]:
    sink = PrometheusSink(families)
    sink._record(MetricEvent(metrics=[*metrics]))
    return values(sink)


async def test_turns_are_counted(tmp_path: Path) -> None:
    """Outcomes, durations, tokens and tools of real turns, by few labels; a failure has the name of its error."""

    async def roll() -> int:
        """Roll a die."""
        return 4

    usage = Usage(input_tokens=40, output_tokens=2, cached_tokens=30)
    script: list[ScriptedReply] = [
        call("roll"),
        ChatReply(text="Four.", usage=usage, model="scripted"),
        ProviderRefusedError("no"),
    ]
    sink = PrometheusSink()
    async with application(tmp_path, script, observers=[sink]) as app:
        await app.engine.register_tool(roll)
        await ask(app.bus, prompt())
        await ask(app.bus, prompt())
        await app.bus.wait_until_idle()

        found = values(sink)

    assert found["llmgine_turns_total", "done"] == 1
    assert found["llmgine_turns_total", "failed"] == 1
    assert found["llmgine_turn_duration_seconds_count",] == 2
    assert found["llmgine_turn_first_text_seconds_count",] == 2
    assert found["llmgine_tokens_total", "input", "scripted"] == 40
    assert found["llmgine_tokens_total", "output", "scripted"] == 2
    assert found["llmgine_cached_tokens_total", "scripted"] == 30
    assert found["llmgine_tool_duration_seconds_count", "done", "roll"] == 1
    assert found["llmgine_model_call_duration_seconds_count", "done", "scripted"] == 2
    assert found["llmgine_model_call_duration_seconds_count", "ProviderRefusedError", "scripted"] == 1


def test_series_are_bounded() -> None:
    """Whatever somebody names a model, so many are told apart; the rest are counted together, and none is lost."""
    many = [
        Metric(name=names.TOKEN_USAGE, value=1, tags={names.REQUEST_MODEL: f"m{n}", names.TOKEN_TYPE: "input"})
        for n in range(MOST_SERIES + 50)
    ]

    found = {labels: value for labels, value in recorded(*many, *many).items() if labels[0] == "llmgine_tokens_total"}

    assert len(found) == MOST_SERIES + 1
    assert found["llmgine_tokens_total", "other", "other"] == 100
    assert sum(found.values()) == 2 * len(many)


def test_what_has_no_family_is_left_out() -> None:
    """A metric of somebody's own is exported once a family for it is given, and its other tags never are."""
    own = Metric(name="files_processed", value=10, tags={"folder": "a", "channel": "17"})
    family = Family("files_processed", "files_processed", Kind.SUM, "Files.", {"folder": ("folder", "")})

    assert not [labels for labels in recorded(own) if "files" in labels[0]]
    assert recorded(own, own, families=(family,))["files_processed_total", "a"] == 20


def test_a_value_below_zero_counts_nothing() -> None:
    """A service that counts wrongly does no harm to the rest."""
    wrong = Metric(name=names.TOKEN_USAGE, value=-5, tags={names.REQUEST_MODEL: "m", names.TOKEN_TYPE: "input"})

    assert recorded(wrong)["llmgine_tokens_total", "input", "m"] == 0


def test_the_registry_is_its_own() -> None:
    """Two sinks do not meet, and what the process registers globally stays as it is."""
    before = prometheus_client.generate_latest()

    first, second = PrometheusSink(), PrometheusSink()
    first._record(MetricEvent(metrics=[Metric(name=names.LOOP_LAG, value=3)]))

    assert values(first)["llmgine_event_loop_lag_seconds",] == 3
    assert values(second)["llmgine_event_loop_lag_seconds",] == 0
    assert b"llmgine" not in prometheus_client.generate_latest()
    assert b"llmgine" not in before


@pytest.mark.parametrize("family", [*FAMILIES, *OF_DISCORD], ids=lambda family: family.name)
def test_labels_name_no_places_and_people(family: Family) -> None:
    """Labels are those whose values are few."""
    assert {*family.labels} <= {"model", "outcome", "type", "tool", "method", "route", "scope"}


def test_the_table_is_the_one_made_from_the_code() -> None:
    """Every metric is in docs/observability.md with its labels."""
    rows = ["| metric | labels | |", "|---|---|---|"]
    for family in (*FAMILIES, *OF_DISCORD):
        name = f"{family.name}_total" if family.kind in {Kind.COUNT, Kind.SUM} else family.name
        labels = ", ".join(f"`{label}`" for label in family.labels)
        rows.append(f"| `{name}` | {labels} | {family.help} |")

    check_table("docs/observability.md", "metrics", "\n".join(rows))
