"""Rollouts over many servers on which people come and go, through a network that is against it."""

from testhosts.case import HostTest
from testhosts.rollouts import Rollouts, percentile

PEOPLE = {"standin_quiet": 30, "standin_stay": 3, "standin_group": 2, "standin_connect": 1}
SERVERS, ROUNDS = 20, 3


class ManyRollouts(HostTest):
    def test_rollouts_kick_nobody_and_reach_every_server_however_badly_games_answer(self):
        rollouts = Rollouts(self.host, SERVERS, PEOPLE)
        rollouts.begin()
        took = [rollouts.roll(number, 240) for number in range(1, ROUNDS + 1)]
        result = rollouts.result()
        self.assertEqual(result.kicked, [])
        self.assertEqual(rollouts.revisions(), {f"{SERVERS} r{ROUNDS}"})
        self.assertGreaterEqual(result.restarts, SERVERS * ROUNDS)
        self.assertLess(max(result.queries), 3, "more than a game answers")
        print(f"rollouts: {', '.join(f'{seconds:.0f}' for seconds in took)} s; {len(result.turned_away)} turned away at the door;"
              f" {percentile(result.queries, 0.5):.2f} queries per server and second; from the last player leaving to the restart"
              f" p50 {percentile(result.waits, 0.5):.1f} s; the probe {100 * rollouts.probe_share():.2f} % of a core")  # fmt: skip
