#pragma once

#include <expected>
#include <string>

#include "adapters/fd.hpp"
#include "adapters/paths.hpp"

namespace left4me::probe {

/// Writes what was heard to where everybody may read it. Its directories are opened at the start: afterwards
/// no path is followed.
class Publisher {
  public:
    /// Creates what is missing; the error is a message.
    static std::expected<Publisher, std::string> open(const Paths& paths);

    /// Replaces the answers. The error is an errno.
    std::expected<void, int> publish(const std::string& text) { return replace(answers_name_, text); }
    /// Replaces the lists of players.
    std::expected<void, int> publish_lists(const std::string& text) { return replace(lists_name_, text); }
    /// Wakes whoever waits for players to leave.
    std::expected<void, int> tell_fewer();

  private:
    std::expected<void, int> replace(const std::string& name, const std::string& text);

    Fd answers_;
    Fd emptied_;
    std::string answers_name_;
    std::string lists_name_;
};

}  // namespace left4me::probe
