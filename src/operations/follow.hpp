#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "adapters/fd.hpp"
#include "adapters/paths.hpp"

namespace left4me::operations {

/// Wakes up when a file of the state was written: a pass with news replaces the status, and what happens
/// is appended to the events. Only says "look again".
class StateWatch {
  public:
    explicit StateWatch(const Paths& paths);

    /// Returns when something was written, and in any case after `longest`; without inotify (its limits are
    /// used up) after a second.
    void wait(std::chrono::milliseconds longest);

  private:
    Fd inotify_;
};

/// The lines that are appended to a file from now on, also when it is begun anew.
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
