#pragma once

#include <deque>
#include <memory>

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
    void begin(const Desired& desired, const Plan& plan, std::span<const ActionIndex> actions) override;
    std::vector<Outcome> wait() override;

  private:
    Paths paths_;
    std::unique_ptr<Units> units_;
    Store store_;
    std::deque<Outcome> finished_;
    // units' outcomes are matched back to actions by (verb, server); the map lives in the .cpp's helper type
};

}  // namespace left4me
