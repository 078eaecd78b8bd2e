#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>

namespace left4me::builder {

/// When hosts may be asked again that have broken off or asked to wait: what one of several downloads is told
/// holds for all of them.
class HostPauses {
  public:
    using Clock = std::chrono::steady_clock;

    void pause(const std::string& url, Clock::duration time);
    /// Until the host of the URL may be asked. False: `stop` came first.
    bool wait(const std::string& url, const std::stop_token& stop);

  private:
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::map<std::string, Clock::time_point> until_;  ///< by host
};

}  // namespace left4me::builder
