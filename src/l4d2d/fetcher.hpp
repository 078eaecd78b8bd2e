#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "adapters/fd.hpp"
#include "adapters/readiness.hpp"
#include "adapters/source/source.hpp"

namespace left4me {

/// Fetches from a remote on a thread of its own, for a network may take minutes to say no. At most one fetch
/// at a time.
class Fetcher {
  public:
    using Result = std::expected<void, std::string>;

    Fetcher();
    Fetcher(const Fetcher&) = delete;
    Fetcher& operator=(const Fetcher&) = delete;
    ~Fetcher();

    /// The source is the thread's until the fetch has ended: give it one of its own.
    void begin(std::unique_ptr<Source> source);
    bool busy() const { return busy_; }
    /// How the fetch ended, once; nullopt: none has ended since the last time.
    std::optional<Result> collect();
    Readiness readiness() const { return {.fd = ended_.get(), .events = POLLIN, .timeout = {}}; }

  private:
    Fd ended_;  ///< eventfd(2)
    bool busy_ = false;
    Result result_;  ///< the thread's until `ended_` is readable
    std::thread thread_;
};

}  // namespace left4me
