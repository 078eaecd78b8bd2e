#include "support/run.hpp"

namespace left4me::test {
namespace {

/// More rounds than any correction needs. Remaining differences are left to the next run.
constexpr std::size_t max_rounds = 8;

/// Whoever polls it waits.
class BlockingHost : public ForwardingHost {
  public:
    using ForwardingHost::ForwardingHost;

    void begin(const Plan& plan, std::span<const ActionIndex> actions) override {
        ForwardingHost::begin(plan, actions);
        under_way_ += actions.size();
    }
    std::vector<Outcome> poll_completions() override {
        if (under_way_ == 0) return {};
        std::vector<Outcome> outcomes = wait();
        under_way_ -= outcomes.size();
        return outcomes;
    }

  private:
    std::size_t under_way_ = 0;
};

}  // namespace

std::expected<RunResult, std::string> run(TestHost& host, const Desired& desired, Intent intent,
                                          Status& status, Builds builds) {
    BlockingHost blocking(host);
    Engine engine(blocking, status);
    Request request{std::make_shared<const Desired>(desired), std::move(intent), status.source_error};
    RunResult result;
    // Servers that restart one after another take a round each.
    const std::size_t rounds = max_rounds + desired.servers.size();
    for (std::size_t round = 0;; ++round) {
        auto step = round < rounds ? engine.step(request) : engine.observe(request);
        if (!step) return std::unexpected(step.error());
        result.target = std::move(step->target);
        result.observed = std::move(step->observed);
        result.remaining = std::move(step->difference);
        append(result.ended, std::move(step->ended));
        if (round == 0) {
            result.planned = result.remaining;
            result.before = std::move(step->before);
        }
        if (engine.busy()) {
            (void)engine.poll_completions();
        } else if (builds == Builds::AreAwaited && !result.observed.builds.empty()) {
            host.wait_for_builds();
            round = 0;  // what it led to takes as many rounds again
        } else {
            break;
        }
    }
    result.ended.plan.revision = result.target.revision();
    status = engine.status();
    return result;
}

}  // namespace left4me::test
