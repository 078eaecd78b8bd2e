#pragma once

#include <csignal>

#include "adapters/fd.hpp"
#include "adapters/readiness.hpp"
#include "operations/error.hpp"

namespace left4me::operations {

/// Takes SIGINT and SIGTERM as long as it lives, instead of letting them end the process. Made before any
/// other thread is: they inherit what the maker's signal mask is.
class Interruption {
  public:
    Interruption();
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;
    ~Interruption();

    /// One of them has come.
    bool came();
    Readiness readiness() const { return {.fd = signals_.get(), .events = POLLIN, .timeout = {}}; }

  private:
    sigset_t before_{};
    Fd signals_;  ///< signalfd(2)
    bool came_ = false;
};

/// What ends an operation then: nothing was cancelled.
inline std::unexpected<Error> interrupted() {
    return fail(ErrorKind::Interrupted, "the host goes on; l4d2ctl get servers --watch shows it");
}

}  // namespace left4me::operations
