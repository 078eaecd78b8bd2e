#pragma once

#include <chrono>
#include <map>

#include "l4d2ctl/plan_text.hpp"
#include "l4d2ctl/session.hpp"
#include "operations/reconcile.hpp"
#include "reconciler/host.hpp"

namespace left4me::ctl {

/// A host that says what is done to it, as it happens: each action when it has ended. What failed goes to
/// stderr with the host's own words and what to do about it.
class Narrator : public Host {
  public:
    Narrator(Host& host, const Terminal& out, const Terminal& err) : host_(host), out_(out), err_(err) {}

    std::expected<std::map<std::string, ObservedBuild>, std::string> observe_builds() override {
        return host_.observe_builds();
    }
    Inputs read_inputs(const Desired& desired) override { return host_.read_inputs(desired); }
    std::expected<Observed, std::string> observe(const left4me::Target& target) override {
        return host_.observe(target);
    }
    void begin(const Plan& plan, std::span<const ActionIndex> actions) override;
    std::vector<Outcome> wait() override { return told(host_.wait()); }
    std::vector<Outcome> collect() override { return told(host_.collect()); }
    void wait_for_builds(const std::map<std::string, ObservedBuild>& builds) override;

  private:
    using Clock = std::chrono::steady_clock;

    std::vector<Outcome> told(std::vector<Outcome> outcomes);
    void tell(const Action& action, Clock::duration took) const;

    Host& host_;
    const Terminal& out_;
    const Terminal& err_;
    PlanColumns columns_;
    std::map<std::pair<const Plan*, ActionIndex>, Clock::time_point> begun_;
};

/// Puts a Narrator for this session around the host.
operations::HostWrapper narrated(const Session& session);

/// `server/comp1: start failed (StartLimitHit): …` and, below, the command that tells more. `others`: how
/// many more objects it went the same way for.
std::string failure_text(const Action& action, const Outcome& outcome, const Terminal& err,
                         std::size_t others = 0);

/// Those that are not done, each different message once: what broke for two hundred servers is one piece of
/// news.
std::string failures_text(const Plan& plan, std::span<const Outcome> outcomes, const Terminal& err);

}  // namespace left4me::ctl
