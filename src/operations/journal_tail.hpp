#pragma once

#include <sys/types.h>
#include <string>
#include <vector>

#include "adapters/fd.hpp"
#include "reconciler/plan.hpp"

namespace left4me::operations {

/// The units whose journal is the log of a server, or of the builds of an overlay.
std::vector<std::string> log_units(const Subject& subject);

/// The last lines of some units' journal, read by journalctl beside the other work. Begun while still root,
/// because user left4me may not read the journal; the names alone go into it.
class JournalTail {
  public:
    JournalTail(const std::vector<std::string>& units, unsigned lines);
    JournalTail(const JournalTail&) = delete;
    JournalTail& operator=(const JournalTail&) = delete;
    ~JournalTail();

    /// Waits for journalctl; empty if there is nothing to read, or no permission.
    std::string text();

  private:
    Fd pipe_;
    pid_t child_ = -1;
};

}  // namespace left4me::operations
