#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>

#include "builder/partial_file.hpp"

namespace left4me::builder {

/// Whether, and when, a transfer that was interrupted is tried again.
class Retries {
  public:
    explicit Retries(const DownloadSettings& settings) : settings_(settings), pause_(settings.wait) {}

    /// How long to wait before the next try. Else the error: there is none.
    std::expected<std::chrono::milliseconds, std::string> next(const std::string& url,
                                                               const TransferResult& interrupted);
    /// Waits so long.
    std::optional<std::string> wait(const std::string& url, const TransferResult& interrupted);

    /// The last try brought something.
    void begin_again() {
        failed_ = 0;
        pause_ = settings_.wait;
    }

  private:
    const DownloadSettings& settings_;
    std::chrono::milliseconds pause_;
    unsigned failed_ = 0;
};

}  // namespace left4me::builder
