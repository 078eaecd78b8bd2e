#pragma once

#include <sys/types.h>
#include <string>

#include "adapters/fd.hpp"
#include "reconciler/plan.hpp"

namespace left4me::operations {

/// The unit whose journal is the log of a server, or of the builds of an overlay.
std::string log_unit(const Subject& subject);

/// The last lines of a unit's journal, read by journalctl beside the other work. Begun while still root,
/// because user left4me may not read the journal; the name alone goes into it.
class JournalTail {
  public:
    JournalTail(const std::string& unit, unsigned lines);
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
