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
    /// `patience`: how long read() may wait for all sources together; nullopt: until it knows.
    explicit SourceReader(std::optional<std::chrono::milliseconds> patience);
    SourceReader(const SourceReader&) = delete;
    SourceReader& operator=(const SourceReader&) = delete;
    /// Waits for what is being looked at.
    ~SourceReader();

    using Fingerprint = std::expected<std::string, std::string>;

    /// Looks::fingerprint of each overlay's directory as it is now, or why it cannot be an overlay. For one
    /// that is not looked at within the patience it is what was known before, or nullopt if nothing was.
    std::map<std::string, std::optional<Fingerprint>> read(
        const std::map<std::string, OverlaySource>& overlays);

    /// Readable when something is known that read() did not tell of. drain() before the next read().
    Readiness readiness() const { return {.fd = news_.get(), .events = POLLIN, .timeout = {}}; }
    /// Whether there was news.
    bool drain();
    /// Nothing is being read.
    bool idle();

  private:
    struct Entry {
        DirectorySource source;
        bool open = false;     ///< waits for a thread, or is being read
        bool awaited = false;  ///< by a read() that has not given up
        std::optional<Fingerprint> known;
    };

    void ask(const DirectorySource& source);
    void wait(std::unique_lock<std::mutex>& lock);
    /// As many as can be stuck without holding up the others.
    void add_thread();
    void run(const std::stop_token& stop);

    std::optional<std::chrono::milliseconds> patience_;
    Fd news_;  ///< eventfd(2)
    std::mutex mutex_;
    std::condition_variable_any work_;
    std::condition_variable done_;
    std::map<std::string, Entry> entries_;  ///< by path
    std::deque<std::string> waiting_;       ///< paths
    std::size_t open_ = 0;
    std::vector<std::jthread> threads_;  ///< last: they end before what they work with
};

}  // namespace left4me::store
