#pragma once

#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/random.hpp"
#include "support/test_host.hpp"

namespace left4me::test {

/// `instances/NAME/DIGEST` of the fake.
struct FakeRendering {
    std::vector<std::string> layers;
    std::uint16_t port = 0;
    std::string environment;
    std::vector<std::string> damaged;  ///< files edited by hand

    bool operator==(const FakeRendering&) const = default;
};

struct FakeServer {
    ObservedUnit unit;
    bool managed = false;  ///< instances/NAME exists
    std::map<std::string, FakeRendering> renderings;
    std::optional<std::string> current;
    std::optional<std::vector<std::string>> mounted;
    /// The same in the mount namespace of the running game: an umount by hand leaves it there.
    std::optional<std::vector<std::string>> in_game;
    bool runtime = false;
    unsigned purges = 0;  ///< how often what it wrote was removed
    std::optional<unsigned> players;
    std::chrono::milliseconds players_age{};  ///< of the answer that says so
    bool reserved = false;                    ///< by a lobby; the game's console says so
    std::optional<ObservedConsole> console;   ///< what was heard from it
    bool has_console = false;                 ///< left4me knows its password
    std::optional<ObservedSocket> socket;     ///< what the probe has seen of it
    std::optional<ObservedCvars> cvars;       ///< what its console says of them
    std::optional<ObservedTick> tick;         ///< what its console says of that
    std::size_t shadowed = 0;                 ///< files that the game changed but may not keep
    std::string set_aside;                    ///< a start's description of what it set aside
    unsigned starts = 0;                      ///< since the last reset-failed: systemd's start-limit counter
    unsigned processes = 0;  ///< how often the game was started: a new number is a new MainPID

    bool operator==(const FakeServer&) const = default;

    const std::optional<std::vector<std::string>>& stack() const { return mounted ? mounted : in_game; }
};

/// Inactive, as if never started; enabled or masked as before.
inline void reset(ObservedUnit& unit) {
    const Enablement enablement = unit.enablement;
    unit = {};
    unit.enablement = enablement;
}

/// The fake's disk and PID 1: a value, so that worlds can be copied and compared.
struct FakeWorld {
    TimePoint now{};
    LocalTime local;
    bool installation = true;
    bool is_probed = false;
    std::map<std::string, std::expected<std::string, std::string>>
        sources;                                 ///< overlay → digest of its content
    std::map<std::string, std::string> secrets;  ///< file → text; any other one is missing
    std::set<std::string> overlay_artifacts;     ///< `overlays/A/DIGEST`
    std::map<std::string, TimePoint> built;      ///< when some of them were last built
    /// Of the overlays that units build: what they left, and what is being built. A source's input is what
    /// its content is called.
    std::map<std::string, BuildRecord> records;
    std::map<std::string, std::string> canceled;
    std::map<std::string, TimePoint> canceled_at;  ///< when
    std::map<std::string, TimePoint> requested;    ///< when their builds were last asked for
    std::map<std::string, std::string> building;   ///< overlay → input when it began
    std::map<std::string, FakeServer> servers;
    ObservedTuning tuning = {};
};

/// The rendering that the fake's store would write for a server.
FakeRendering make_rendering(const DesiredServer& server, const std::vector<std::string>& overlay_layers,
                             std::string& artifact);

/// A stateful host in memory. It *performs* every effect like systemd, the kernel and the store, at the
/// moment the action ends, and shuffles the order in which actions end. Anything that left4me must never do
/// is recorded in violations().
class FakeHost : public TestHost {
  public:
    static constexpr unsigned start_limit = 5;

    explicit FakeHost(FakeWorld initial, std::uint64_t seed = 1) : world(std::move(initial)), random_(seed) {}

    std::expected<ObservedUnits, std::string> observe_units() override;
    Inputs read_inputs(const Desired& desired, const Rollbacks& rollbacks) override;
    std::expected<Observed, std::string> observe(const Target& target, ObservedUnits units) override;
    /// With the units as they are now.
    std::expected<Observed, std::string> observe(const Target& target);
    /// resolve() with the result of read_inputs().
    Target target(const Desired& desired, const Rollbacks& rollbacks = {});
    void begin(const Plan& plan, std::span<const ActionIndex> actions) override;
    std::vector<Outcome> wait() override;
    /// Nothing ends while only hanging servers have actions in flight.
    std::vector<Outcome> poll_completions() override;
    void wait_for_builds() override;
    /// Those end that do not hang.
    void end_builds();

    /// Power off and on: enabled units start with their current rendering, mounts are gone.
    void reboot();
    /// Time passes, more than any backoff: starting units have started, stopping ones have stopped.
    void settle();
    /// Somebody has stopped the game, which had to be killed for it.
    void stop_by_force(const std::string& name);
    /// The game ended by itself, and systemd has started it again.
    void crash(const std::string& name);
    /// The reconciler was killed. Jobs passed to systemd continue and end; work on files stops halfway.
    void reconciler_died();

    FakeWorld world;

    // Failures to inject.
    std::optional<std::size_t> fail_call;  ///< the call with this number (from 0) fails
    std::set<std::string> crashing;        ///< servers whose game exits immediately, every time
    std::map<std::string, BuildFailureKind> failing_builds;  ///< how builds of overlays in units end
    std::set<std::string> unread;             ///< overlays whose sources are being read for the first time
    std::set<std::string> unrecorded_builds;  ///< overlays whose builds cannot write their record
    /// Servers whose actions end only when nothing else is under way, and overlays whose builds do not end.
    std::set<std::string> hanging;
    /// Servers that somebody joins at the last moment: when they are asked once more whether nobody plays. A
    /// game that hung answers again.
    std::set<std::string> joining;
    /// Since when a unit has been active when its start has ended: only tests of that must wait.
    std::chrono::seconds up_for{60};
    bool dawdling = false;  ///< after each completion, poll_completions() returns nothing once
    std::optional<std::string> observe_error;

    // Records.
    struct Call {
        Verb verb = Verb::Report;
        Subject subject;

        bool operator==(const Call&) const = default;
    };
    std::vector<Call> calls;
    std::size_t observations = 0;
    std::size_t batches = 0;         ///< calls of begin()
    std::vector<std::string> ended;  ///< "start server/a", in the order in which they ended
    std::vector<std::pair<std::string, std::string>> commands;  ///< in which games, and what
    std::vector<std::string> kicked;      ///< servers that were taken down while people played
    std::vector<std::string> violations;  ///< descriptions of what must never happen

  private:
    struct Job {
        Outcome outcome;
        Verb verb = Verb::Report;
        Subject subject;
        std::string artifact;
        std::shared_ptr<const TargetRendering> rendering;
        std::shared_ptr<const OverlaySource> source;
        std::shared_ptr<const Tuning> tuning;
        std::string command;  ///< for the game's console
        std::optional<WhileEmpty> while_empty;
        bool fails = false;
        /// Prune: the servers as they were when its plan was made.
        std::shared_ptr<const std::map<std::string, FakeServer>> planned_from;
        bool stale = false;  ///< begun by a reconciler that has died
    };
    using Result = std::expected<void, Outcome>;

    bool has_artifact(const std::string& overlay, const std::string& digest) const;
    void check(const Job& job);
    std::vector<std::size_t> not_hanging() const;
    std::vector<Outcome> end(std::size_t index);
    void finish(Job& job);
    Result perform(const Job& job);

    // The store, fake_store.cpp.
    Result build(const Job& job);
    Result render(const Job& job);
    Result unmanage(const Job& job);
    Result prune(const Job& job);
    std::vector<std::string> users_of(const std::string& artifact) const;

    // systemd and the helper, fake_units.cpp.
    Result start(FakeServer& server, const std::string& name);
    /// Asks the game once more.
    Result check_empty(FakeServer& server, const std::string& name, const WhileEmpty& asked);
    Result stop(FakeServer& server, const std::string& name);
    Result restart(FakeServer& server, const std::string& name);
    Result attach(FakeServer& server);
    Result purge(FakeServer& server);
    std::optional<std::uint16_t> port_in_use(const FakeServer& server) const;
    bool mount(FakeServer& server, const std::string& name);
    static void fail_unit(FakeServer& server, const std::string& result, FailureKind failure);

    std::vector<Job> under_way_;
    std::set<std::string> asked_for_;  ///< servers of the target that was last observed
    std::map<const Plan*, std::shared_ptr<const std::map<std::string, FakeServer>>> planned_from_;
    bool told_just_now_ = false;
    unsigned invocations_ = 0;
    Random random_;
};

}  // namespace left4me::test
