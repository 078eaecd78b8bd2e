#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operations/json.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

/// What one unit is to have, what systemd has set of it, and what it really has.
struct UnitTuning {
    std::string unit;
    UnitSettings asked;               ///< by the Host
    UnitLimits limits;                ///< systemd's and the kernel's
    std::optional<int> running_nice;  ///< of a game that runs; nullopt: it does not, or /proc does not tell

    /// `AllowedCPUs=0-1 (systemd has 0-3)`: what is not as it is asked for, or becomes so at the next start.
    std::string difference() const;
};

/// Every unit that the Host is about, and the server of every game that runs.
Result<std::vector<UnitTuning>> unit_tunings(View& view);

/// `CPUWeight=200 Nice=-5`; `-` for none.
std::string settings_text(const UnitSettings& settings);
/// The processors of the system and of the games: `0-1`; `all`.
std::string cpus_text(const std::optional<Cpus>& cpus);

/// Why the host is not as its manifest says; empty: it is.
std::string tuning_trouble(const View& view);

/// docs/cli.md documents the fields.
Json host_json(const View& view, const std::string& name, const std::vector<UnitTuning>& units);

}  // namespace left4me::operations
