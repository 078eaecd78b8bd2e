#pragma once

#include <map>
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
/// and what differs waits for something else. Builds are waited for if `await_builds` is set. What was
/// tried three times meanwhile is not waited for.
class Settling {
  public:
    Settling(Concern concern, bool await_builds)
        : concern_(std::move(concern)), await_builds_(await_builds) {}

    bool has_settled(const StepReport& report);

  private:
    bool is_awaited(const Action& action) const;

    Concern concern_;
    bool await_builds_;
    std::map<std::pair<Subject, Verb>, int> tries_;
};

}  // namespace left4me::operations
