#pragma once

#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "adapters/paths.hpp"
#include "adapters/store/store.hpp"
#include "adapters/systemd/units.hpp"
#include "reconciler/host.hpp"

namespace left4me {

/// The real Host: systemd's units, the overlay mounts and the store of generations of this machine.
class Machine : public Host {
  public:
    Machine(Paths paths, std::unique_ptr<Units> units);

    std::expected<Observed, std::string> observe(const Desired& desired) override;
    /// Requests about units are sent first, so that systemd works while this process copies files.
    void begin(const Desired& desired, const Plan& plan, std::span<const ActionIndex> actions) override;
    std::vector<Outcome> wait() override;

    Units& units() { return *units_; }

  private:
    void begin_units(const Plan& plan, std::span<const ActionIndex> actions);
    void run_store(const Desired& desired, const Plan& plan, std::span<const ActionIndex> actions);
    Store::Done run(const Desired& desired, const Action& action);
    Store::Done collect(const std::string& generation);

    Paths paths_;
    std::unique_ptr<Units> units_;
    Store store_;
    /// The renderings that the last look asked for; a plan's Render names only the generation.
    std::map<std::string, WantedRendering> wanted_;
    /// How units' outcomes find back to the actions of the plan.
    std::map<std::pair<Verb, std::string>, ActionIndex> under_way_;
    std::deque<Outcome> finished_;
};

}  // namespace left4me
