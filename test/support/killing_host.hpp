#pragma once

#include "support/fake_host.hpp"

namespace left4me::test {

struct Killed {};

/// SIGKILL at the n-th effect: only the first half of the actions passed to begin() was handed over.
class KillingHost : public ForwardingHost {
  public:
    KillingHost(FakeHost& inner, std::size_t kill_at)
        : ForwardingHost(inner), inner_(inner), left_(kill_at) {}

    void begin(const Plan& plan, std::span<const ActionIndex> actions) override {
        if (left_ == 0) {
            inner_.begin(plan, actions.first(actions.size() / 2));
            die();
        }
        --left_;
        inner_.begin(plan, actions);
    }

    std::vector<Outcome> wait() override {
        if (left_ == 0) die();
        --left_;
        return inner_.wait();
    }

  private:
    [[noreturn]] void die() {
        inner_.reconciler_died();
        throw Killed{};
    }

    FakeHost& inner_;
    std::size_t left_;
};

}  // namespace left4me::test
