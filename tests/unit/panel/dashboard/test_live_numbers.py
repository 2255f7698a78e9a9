"""What the panel knows of the numbers of apps: what was before it came, then a sample where something has changed."""

from __future__ import annotations

from panel.client.traffic_model import AppSummary, Traffic
from panel.client.traffic_sample import Sample
from panel.live_numbers import KEPT_S, PROBES, LiveNumbers


def test_a_second_without_a_sample_goes_on_as_the_last_one() -> None:
    live = LiveNumbers()
    live.begin(Traffic(apps={"shop": AppSummary(requests=(1.0, 2.0), errors=0.1, p99=5.0, ticks="+-")}))
    live.take(Sample(apps={"shop": (7.0, 0.2, 9.0)}, ticks={"shop": "+"}))
    for _ in range(2):
        live.tick(["shop"], known=True)

    assert live.of("shop").requests == (1.0, 2.0, 7.0, 7.0)
    assert (live.of("shop").errors, live.of("shop").p99, live.of("shop").probes) == (0.2, 9.0, "+-+")


def test_while_the_orchestrator_is_away_there_is_a_gap() -> None:
    live = LiveNumbers()
    live.take(Sample(apps={"shop": (7.0, None, None)}))
    for known in (True, False, True):
        live.tick(["shop"], known=known)

    assert live.of("shop").requests == (7.0, None, 7.0)


def test_an_app_that_is_idle_from_the_beginning_has_zeros_and_one_that_has_gone_has_nothing() -> None:
    live = LiveNumbers()
    live.tick(["shop", "till"], known=True)
    live.tick(["till"], known=True)

    assert live.of("till").requests == (0.0, 0.0)
    assert live.of("shop").requests == ()


def test_however_long_the_panel_is_open_it_keeps_a_minute() -> None:
    live = LiveNumbers()
    for second in range(500):
        live.take(Sample(apps={"shop": (float(second), None, None)}, ticks={"shop": "++"}))
        live.tick(["shop"], known=True)

    assert len(live.of("shop").requests) == KEPT_S
    assert len(live.of("shop").probes) == PROBES
