#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "adapters/host/worker.hpp"
#include "adapters/paths.hpp"
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
    bool drain() { return store_.drain(); }
    /// When drain() may be true.
    Readiness news() const { return store_.readiness(); }

    /// When poll_completions() should be called again: for any of these.
    std::vector<Readiness> readiness() const;

    Units& units() { return *units_; }

  private:
    std::expected<void, std::string> look_into_games(const Target& target, Observed& observed);
    void look_for_shadows(Observed& observed) const;
    void look_for_players(Observed& observed) const;

    struct Begun {
        const Plan* plan = nullptr;
        ActionIndex action = 0;
        std::chrono::steady_clock::time_point at;
    };

    /// What may only be done while nobody plays, and waits for an answer to a question of now.
    struct WhileEmpty {
        Begun begun;
        std::uint16_t port = 0;
        std::chrono::milliseconds since{};  ///< CLOCK_BOOTTIME
    };

    bool request_build(const Plan& plan, ActionIndex index);
    void begin_units(const Plan& plan, std::span<const ActionIndex> actions);
    void begin_files(const Plan& plan, std::span<const ActionIndex> actions);
    /// Begins what waited for that, and returns what is dropped.
    std::vector<Outcome> begin_empty();

    Paths paths_;
    std::unique_ptr<Units> units_;
    Store store_;
    /// Maps units' outcomes back to the actions of their plan.
    std::map<std::pair<Verb, std::string>, Begun> under_way_;
    std::vector<WhileEmpty> while_empty_;
    Worker worker_;  ///< last member, so that it ends before what it uses
};

}  // namespace left4me
