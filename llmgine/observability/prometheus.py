"""Prometheus: the metrics on the bus as counters, histograms and gauges. Needs the extra `metrics`."""

from collections.abc import Callable, Iterable, Mapping

from llmgine.errors import ConfigurationError
from llmgine.observability.families import FAMILIES, Family, Kind
from llmgine.observability.observer import ObservedBus
from llmgine.observability.telemetry import Metric, MetricEvent

try:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector
    from prometheus_client.exposition import choose_encoder
except ImportError as error:
    raise ConfigurationError("Prometheus needs an extra; install it with `uv sync --extra metrics`") from error

MOST_SERIES = 200  # of one family; whoever scrapes keeps each for weeks
_OTHER = "other"  # the labels of all further ones


class PrometheusSink:
    """Counts what `MetricEvent`s measure, in a registry of its own; nothing global is changed.

    Metrics that are in no family are left out, because the values of their tags may be very many. A family has at most
    `MOST_SERIES` series; further ones are counted together under the label value `other`.

    Args:
        families: What is counted besides `FAMILIES`.
    """

    def __init__(self, families: Iterable[Family] = ()) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._series: dict[str, list[_Series]] = {}
        for family in (*FAMILIES, *families):
            self._series.setdefault(family.metric, []).append(_Series(family, self._registry))

    def attach(self, bus: ObservedBus) -> Callable[[], None]:
        """Listen to the bus; returns a function that unsubscribes."""
        return bus.register_event_handler(MetricEvent, self._record)

    def info(self, name: str, text: str, labels: Mapping[str, str]) -> None:
        """Show what does not change while the program runs.

        Args:
            name: The metric's name, without the ending `_info` that Prometheus gives it.
            text: What it says.
            labels: The values.
        """
        Info(name, text, registry=self._registry).info(dict(labels))

    def gauge(self, name: str, text: str, label: str, readings: Mapping[str, Callable[[], float]]) -> None:
        """Show values that are read at each scrape.

        Args:
            name: The metric's name.
            text: What it says.
            label: The label that tells the values apart.
            readings: For each value of the label, what reads the number.
        """
        gauge = Gauge(name, text, [label], registry=self._registry)
        for value, read in readings.items():
            gauge.labels(value).set_function(read)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """All values as text.

        Args:
            accept: The HTTP header of that name, by which the format is chosen.

        Returns:
            The text and its content type.
        """
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def _record(self, event: MetricEvent) -> None:
        for metric in event.metrics:
            for series in self._series.get(metric.name, ()):
                series.record(metric)


class _Series:
    """One family in the registry."""

    def __init__(self, family: Family, registry: CollectorRegistry) -> None:
        self._family = family
        self._known: set[tuple[str, ...]] = set()
        names = [*family.labels]
        self._collector: Counter | Gauge | Histogram
        match family.kind:
            case Kind.HISTOGRAM:
                self._collector = Histogram(family.name, family.help, names, buckets=family.buckets, registry=registry)
            case Kind.GAUGE:
                self._collector = Gauge(family.name, family.help, names, registry=registry)
            case Kind.COUNT | Kind.SUM:
                self._collector = Counter(family.name, family.help, names, registry=registry)

    def record(self, metric: Metric) -> None:
        """Take a value in. Nothing measured here can be below 0, which a counter would refuse."""
        values = tuple(metric.tags.get(tag, default) for tag, default in self._family.labels.values())
        if values not in self._known:
            if len(self._known) >= MOST_SERIES:
                values = (_OTHER,) * len(values)
            self._known.add(values)
        collector = self._collector.labels(*values) if values else self._collector
        value = max(0.0, metric.value)
        match collector:
            case Histogram():
                collector.observe(value)
            case Gauge():
                collector.set(value)
            case _:
                collector.inc(1.0 if self._family.kind is Kind.COUNT else value)
