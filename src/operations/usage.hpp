#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operations/json.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

/// What one server uses.
struct ServerUsage {
    std::optional<double>
        cores;  ///< since the sample before: 0.5 is half of one core. nullopt: there was none
    std::optional<std::uint64_t> memory_bytes;
};

/// Asks the kernel now and then what servers use.
class UsageSampler {
  public:
    std::map<std::string, ServerUsage> sample(const Paths& paths, const std::vector<std::string>& servers);

  private:
    std::map<std::string, std::chrono::microseconds> cpu_;  ///< as of the last sample
    std::chrono::steady_clock::time_point at_;
};

/// The sum of what is known; nullopt where nothing is.
ServerUsage sum_of(const std::map<std::string, ServerUsage>& usage);

/// The output of `top -o json`: `players`, `cores` and `memory` of all servers, and `servers`: `name`,
/// `ready`, the members of game_json(), `cores`, `memory` in bytes, `restarts` and `since`.
Json usage_json(const View& view, const std::map<std::string, ServerUsage>& usage);

}  // namespace left4me::operations
