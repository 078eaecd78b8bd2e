#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "reconciler/report.hpp"

namespace left4me::operations {

/// The subjects that somebody waits for; empty: all of them.
using Concern = std::set<Subject>;

inline bool concerns(const Concern& concern, const Subject& subject) {
    return concern.empty() || concern.contains(subject);
}

/// Tells from reports when what is of concern has settled: nothing is under way or left to be done about it,
/// and what differs waits for something else. What was tried three times meanwhile is not
/// waited for, and a build for `build_timeout` at most (nullopt: however long it takes).
class Settling {
  public:
    Settling(Concern concern, std::optional<std::chrono::milliseconds> build_timeout)
        : concern_(std::move(concern)), build_timeout_(build_timeout) {}

    bool has_settled(const StepReport& report);

  private:
    bool is_awaited(const Action& action) const;
    bool awaits_builds() const;

    Concern concern_;
    std::optional<std::chrono::milliseconds> build_timeout_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    std::map<std::pair<Subject, Verb>, int> tries_;
};

}  // namespace left4me::operations
