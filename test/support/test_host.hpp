#pragma once

#include <utility>

#include "reconciler/host.hpp"

namespace left4me::test {

/// A host on which time passes as a test likes.
class TestHost : public Host {
  public:
    /// Like poll_completions(), but time passes until something has ended, also what hangs. Empty only if
    /// nothing is in flight.
    virtual std::vector<Outcome> wait() = 0;
    /// Time passes until no build is under way, also none that hangs.
    virtual void wait_for_builds() = 0;
};

/// Passes every call on: a test overrides what it is about.
class ForwardingHost : public TestHost {
  public:
    explicit ForwardingHost(TestHost& inner) : inner_(inner) {}

    std::expected<ObservedUnits, std::string> observe_units() override { return inner_.observe_units(); }
    Inputs read_inputs(const Desired& desired, const Rollbacks& rollbacks) override {
        return inner_.read_inputs(desired, rollbacks);
    }
    std::expected<Observed, std::string> observe(const Target& target, ObservedUnits units) override {
        return inner_.observe(target, std::move(units));
    }
    void begin(const Plan& plan, std::span<const ActionIndex> actions) override {
        inner_.begin(plan, actions);
    }
    std::vector<Outcome> poll_completions() override { return inner_.poll_completions(); }
    std::vector<Outcome> wait() override { return inner_.wait(); }
    void wait_for_builds() override { inner_.wait_for_builds(); }

  private:
    TestHost& inner_;
};

}  // namespace left4me::test
