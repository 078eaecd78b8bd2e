#pragma once

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "support/catch.hpp"

namespace left4me::test {

/// A child process that prepares itself, and then waits until it is killed.
class WaitingChild {
  public:
    /// `prepare` runs in the child; the test fails if it returns false.
    template <typename Prepare>
    explicit WaitingChild(const Prepare& prepare) {
        std::array<int, 2> ready{};
        REQUIRE(::pipe(ready.data()) == 0);
        child_ = ::fork();
        if (child_ == 0) {
            const char done = prepare() ? 'y' : 'n';
            (void)!::write(ready[1], &done, 1);
            while (true) ::pause();
        }
        REQUIRE(child_ > 0);
        ::close(ready[1]);
        char done = 0;
        REQUIRE(::read(ready[0], &done, 1) == 1);
        ::close(ready[0]);
        REQUIRE(done == 'y');
    }
    ~WaitingChild() { end(); }
    WaitingChild(const WaitingChild&) = delete;
    WaitingChild& operator=(const WaitingChild&) = delete;

    pid_t pid() const { return child_; }
    void end() {
        if (child_ <= 0) return;
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
        child_ = -1;
    }

  private:
    pid_t child_ = -1;
};

/// For WaitingChild: enters new namespaces, and keeps there what is mounted now.
inline bool enter_namespaces(int namespaces) {
    return ::unshare(namespaces) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

}  // namespace left4me::test
