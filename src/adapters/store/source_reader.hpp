#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <expected>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "adapters/fd.hpp"
#include "adapters/readiness.hpp"
#include "specs/manifest.hpp"

namespace left4me::store {

/// Tells whether anything in the directories of overlays has changed, on threads of its own: 200,000 names
/// take a second, and a network file system may never answer. Nothing is read but names and metadata.
class SourceReader {
  public:
    /// `timeout`: how long read() may wait for all sources together; nullopt: until all are known.
    explicit SourceReader(std::optional<std::chrono::milliseconds> timeout);
    SourceReader(const SourceReader&) = delete;
    SourceReader& operator=(const SourceReader&) = delete;
    /// Waits for what is being looked at.
    ~SourceReader();

    using Fingerprint = std::expected<std::string, std::string>;

    /// StatFingerprint::fingerprint of each overlay's directory as it is now, or why it cannot be an overlay.
    /// For one that is not looked at within the patience it is what was known before, or nullopt if nothing
    /// was.
    std::map<std::string, std::optional<Fingerprint>> read(
        const std::map<std::string, OverlaySource>& overlays);

    /// Readable if there are results that read() did not return. Call drain() before the next read().
    Readiness readiness() const { return {.fd = news_.get(), .events = POLLIN, .timeout = {}}; }
    /// Whether there were new results.
    bool drain();
    /// No read is in progress.
    bool idle();

  private:
    struct Entry {
        DirectorySource source;
        bool open = false;     ///< waits for a thread, or is being read
        bool awaited = false;  ///< by a read() that is still waiting
        std::optional<Fingerprint> known;
    };

    void ask(const DirectorySource& source);
    void wait(std::unique_lock<std::mutex>& lock);
    /// As many as can hang without blocking the others.
    void add_thread();
    void run(const std::stop_token& stop);

    std::optional<std::chrono::milliseconds> timeout_;
    Fd news_;  ///< eventfd(2)
    std::mutex mutex_;
    std::condition_variable_any work_;
    std::condition_variable done_;
    std::map<std::string, Entry> entries_;  ///< by path
    std::deque<std::string> waiting_;       ///< paths
    std::size_t open_ = 0;
    std::vector<std::jthread> threads_;  ///< last member: they end before what they use
};

}  // namespace left4me::store
