#pragma once

#include <systemd/sd-journal.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

namespace left4me {

struct CloseJournal {
    void operator()(sd_journal* journal) const { ::sd_journal_close(journal); }
};
using Journal = std::unique_ptr<sd_journal, CloseJournal>;

/// The field's value in the entry that is being read; "" if there is none.
inline std::string journal_field(sd_journal* journal, const char* name) {
    const void* data = nullptr;
    std::size_t size = 0;
    if (::sd_journal_get_data(journal, name, &data, &size) < 0) return {};
    const std::string_view text(static_cast<const char*>(data), size);
    return std::string(text.substr(std::min(text.size(), text.find('=') + 1)));
}

}  // namespace left4me
