#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/host/worker.hpp"
#include "adapters/paths.hpp"
#include "adapters/probes/published.hpp"
#include "adapters/rcon/consoles.hpp"
#include "adapters/rcon/variables.hpp"
#include "adapters/readiness.hpp"
#include "adapters/store/build_files.hpp"
#include "adapters/store/store.hpp"
#include "adapters/systemd/units.hpp"
#include "reconciler/host.hpp"

namespace left4me {

/// The real Host: systemd's units, the overlay mounts and the store of artifacts of this machine. A separate
/// thread works on files while units change.
class SystemdHost : public Host {
  public:
    /// `timeout`: how long observe() may wait for the sources of overlays; nullopt: until all are read.
    SystemdHost(Paths paths, std::unique_ptr<Units> units,
                std::optional<std::chrono::milliseconds> timeout = {});

    std::expected<ObservedUnits, std::string> observe_units() override;
    Inputs read_inputs(const Desired& desired, const Rollbacks& rollbacks) override {
        return store_.read_inputs(desired, rollbacks);
    }
    std::expected<Observed, std::string> observe(const Target& target, ObservedUnits units) override;
    void begin(const Plan& plan, std::span<const ActionIndex> actions) override;
    std::vector<Outcome> poll_completions() override;

    /// Has an overlay's build unit find out what a source stands for upstream. Begun by
    /// units().begin(Verb::Build), and answered in `.build/upstream`.
    Store::Done request_check(const std::string& overlay, const store::CheckRequest& request) {
        return store_.request_check(overlay, request);
    }

    /// Stops a build, and waits until it has stopped. It is not begun again for this input until a person
    /// asks.
    Store::Done cancel_build(const std::string& overlay, const std::string& input);

    /// Whether observe() would find more than the last time, when it did not wait for everything.
    bool drain();
    /// When drain() may be true.
    Readiness news() const { return store_.readiness(); }

    /// When poll_completions() should be called again: for any of these.
    std::vector<Readiness> readiness() const;

    Units& units() { return *units_; }

  private:
    std::expected<void, std::string> look_at_tuning(const Target& target, Observed& observed);
    std::expected<void, std::string> look_into_games(const Target& target, Observed& observed);
    void look_for_shadows(Observed& observed) const;
    void look_for_players(Observed& observed) const;
    void look_at_consoles(Observed& observed);
    void look_at_cvars(const Target& target, Observed& observed);

    struct Begun {
        const Plan* plan = nullptr;
        ActionIndex action = 0;
        std::chrono::steady_clock::time_point at;
    };

    /// What may only be done while nobody plays, and waits for answers to questions of now: first the
    /// probe's, then the console's, if the game has one.
    struct WhileEmpty {
        Begun begun;
        left4me::WhileEmpty game;
        std::chrono::milliseconds since{};  ///< CLOCK_BOOTTIME
        bool console_is_asked = false;
        std::optional<ObservedConsole> console = {};  ///< its answer
    };

    bool request_build(const Plan& plan, ActionIndex index);
    void begin_units(const Plan& plan, std::span<const ActionIndex> actions);
    void begin_files(const Plan& plan, std::span<const ActionIndex> actions);
    /// Begins what waited for that, and returns what is dropped.
    std::vector<Outcome> begin_empty();
    void begin_command(const Begun& begun);
    void tell_of_commands(const std::map<std::string, std::expected<void, std::string>>& ended,
                          std::vector<Outcome>& outcomes);
    /// That it may begin, or why it must not; nullopt: it is to wait on. `answer`: the probe's latest,
    /// nullptr if there is none.
    using Verdict = std::expected<void, std::string>;
    std::optional<Verdict> judge(WhileEmpty& waiting, const probes::Published* answer);

    Paths paths_;
    std::unique_ptr<Units> units_;
    Store store_;
    /// Maps units' outcomes back to the actions of their plan.
    std::map<std::pair<Verb, std::string>, Begun> under_way_;
    std::vector<WhileEmpty> while_empty_;
    std::map<std::string, Begun> commands_;  ///< by server: for its console
    rcon::Consoles consoles_;
    rcon::Variables variables_;
    bool waits_;     ///< observe() waits for whatever is to be read
    Worker worker_;  ///< last member, so that it ends before what it uses
};

}  // namespace left4me
