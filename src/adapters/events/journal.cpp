#include "adapters/events/journal.hpp"

#include <fmt/format.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>

#include <string>
#include <string_view>
#include <vector>

namespace left4me {

namespace {

// Random and fixed: `journalctl MESSAGE_ID=…` finds all events of one kind.
constexpr const char* id_changed = "d341d67de6034083b88fd25f45a6f1f1";
constexpr const char* id_failed = "f220eb18e5bb4053a7d41ea3f066c2fb";
constexpr const char* id_drift = "0c1209a3d217413a9da47f22c006a805";
constexpr const char* id_source = "6bd4206cb6be4a1b8408c86b59f4c2a5";

const char* message_id(const Event& event) {
    if (event.drift) return id_drift;
    if (event.subject == "source") return id_source;
    return event.warning ? id_failed : id_changed;
}

void send(const Event& event) {
    std::vector<std::string> fields{
        fmt::format("MESSAGE={}: {}: {}", event.subject, event.reason, event.message),
        fmt::format("PRIORITY={}", event.warning ? LOG_WARNING : LOG_INFO),
        fmt::format("MESSAGE_ID={}", message_id(event)),
        "SYSLOG_IDENTIFIER=left4me",
        "REASON=" + event.reason,
        "REVISION=" + event.revision,
        fmt::format("COUNT={}", event.count),
    };
    for (const auto& [kind, field] : {std::pair("server/", "SERVER="), std::pair("overlay/", "OVERLAY="),
                                      std::pair("installation/", "INSTALLATION=")}) {
        if (event.subject.starts_with(kind))
            fields.push_back(field + event.subject.substr(std::string_view(kind).size()));
    }
    if (!event.actor.empty()) fields.push_back("ACTOR=" + event.actor);
    if (event.drift) fields.emplace_back("DRIFT=1");
    std::vector<iovec> parts;
    parts.reserve(fields.size());
    for (std::string& field : fields) parts.push_back({field.data(), field.size()});
    (void)::sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
}

}  // namespace

void log_events(std::span<const Event> events) {
    for (const Event& event : events) send(event);
}

}  // namespace left4me
