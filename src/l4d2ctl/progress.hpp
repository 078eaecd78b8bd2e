#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "l4d2ctl/plan_text.hpp"
#include "l4d2ctl/session.hpp"
#include "operations/settling.hpp"

namespace left4me::ctl {

/// Prints reports as they come: each action of concern when it has ended. What failed goes to stderr with the
/// host's own words and what to do about it.
class Progress {
  public:
    Progress(const Session& session, operations::Concern concern)
        : session_(session), concern_(std::move(concern)) {}

    void tell(const StepReport& report);
    /// To a person, how far the builds are that the last report waits for: a line for each tenth.
    void tell_builds();
    /// What waits, what was never begun because something else failed first, and the last line.
    void tell_rest(const StepReport& last) const;
    /// Something of concern failed.
    bool any_failed() const { return failed_; }

  private:
    void tell(const Action& action, const Outcome& outcome) const;
    /// To a person, which builds and stops take their time.
    void tell_waits(const StepReport& report);

    const Session& session_;
    operations::Concern concern_;
    std::optional<PlanColumns> columns_;  ///< of the first plan
    std::string told_trouble_;
    std::set<Subject> told_waits_;
    std::vector<Subject> building_;               ///< in the last report
    std::map<Subject, std::string> told_builds_;  ///< how far they were
    CompletedActions never_begun_;
    bool failed_ = false;
    bool quiet_ = true;  ///< nothing of concern has ended
};

/// `server/comp1: start failed (StartLimitHit): …` and, below, the command that shows more. `others`: how
/// many more objects failed in the same way.
std::string failure_text(const Action& action, const Outcome& outcome, const Terminal& err,
                         std::size_t others = 0);

/// The failures, each different message once: one cause for two hundred servers is one message.
std::string failures_text(const Plan& plan, std::span<const Outcome> outcomes, const Terminal& err);

}  // namespace left4me::ctl
