#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "adapters/fd.hpp"
#include "adapters/paths.hpp"

namespace left4me::operations {

/// Wakes up when a state file was written: a pass with news replaces the status, and events are appended.
/// Carries no data.
class StateWatch {
  public:
    explicit StateWatch(const Paths& paths);

    /// Returns when something was written, and at the latest after `longest`; without inotify (its limits are
    /// reached), after a second.
    void wait(std::chrono::milliseconds longest);

  private:
    Fd inotify_;
};

/// The lines that are appended to a file from now on, also across rotation.
class Tail {
  public:
    explicit Tail(std::filesystem::path path);

    std::vector<std::string> new_lines();

  private:
    void read_rest(std::vector<std::string>& lines);

    std::filesystem::path path_;
    Fd file_;
    std::string partial_;
};

}  // namespace left4me::operations
