#pragma once

#include <systemd/sd-journal.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "reconciler/time.hpp"

namespace left4me {

struct CloseJournal {
    void operator()(sd_journal* journal) const { ::sd_journal_close(journal); }
};
using Journal = std::unique_ptr<sd_journal, CloseJournal>;

/// `flags` are those of sd_journal_open(3), which takes milliseconds. Null: it cannot be opened.
inline Journal open_journal(int flags) {
    sd_journal* journal = nullptr;
    return ::sd_journal_open(&journal, flags) < 0 ? nullptr : Journal(journal);
}

/// When the entry that is being read was written, by the host's clock.
inline std::optional<TimePoint> journal_time(sd_journal* journal) {
    std::uint64_t usec = 0;
    if (::sd_journal_get_realtime_usec(journal, &usec) < 0) return std::nullopt;
    return TimePoint{std::chrono::microseconds(static_cast<std::int64_t>(usec))};
}

/// The field's value in the entry that is being read; "" if there is none.
inline std::string journal_field(sd_journal* journal, const char* name) {
    const void* data = nullptr;
    std::size_t size = 0;
    if (::sd_journal_get_data(journal, name, &data, &size) < 0) return {};
    const std::string_view text(static_cast<const char*>(data), size);
    return std::string(text.substr(std::min(text.size(), text.find('=') + 1)));
}

}  // namespace left4me
