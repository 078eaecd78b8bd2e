#include "adapters/source/revision.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "adapters/files.hpp"
#include "adapters/source/bundle.hpp"
#include "adapters/store/requests.hpp"
#include "adapters/store/rollbacks.hpp"
#include "adapters/store/suspensions.hpp"

namespace left4me {

namespace fs = std::filesystem;

namespace {

/// The status file need not hold everything that somebody may push.
constexpr std::size_t max_errors = 100;
constexpr std::size_t max_bundle = std::size_t{256} << 20U;

fs::path last_good_path(const Paths& paths) { return paths.status() / "last-good"; }
fs::path approved_path(const Paths& paths) { return paths.status() / "approved"; }

std::optional<Snapshot> read_last_good(const Paths& paths) {
    const auto text = read_file(last_good_path(paths), max_bundle);
    if (!text) return std::nullopt;
    auto bundle = read_bundle(*text);
    if (!bundle) return std::nullopt;
    return Snapshot{std::move(bundle->title), std::move(bundle->entries)};
}

}  // namespace

Intent load_intent(const Paths& paths) {
    Intent intent;
    if (auto text = read_file(approved_path(paths), 4096); text && text->ends_with('\n')) {
        text->pop_back();
        intent.approved = std::move(*text);
    }
    // A damaged file asks for nothing: what does not happen is asked for again.
    intent.restarts = load_restart_requests(paths).value_or(RestartRequests{});
    intent.resets = load_reset_requests(paths).value_or(ResetRequests{});
    auto stops = load_stop_requests(paths);
    auto rollbacks = load_rollbacks(paths);
    auto suspensions = load_suspensions(paths);
    // Nobody knows which servers are suspended, which artifacts they must not get, or whose players a stop
    // waits for: nothing is touched.
    const auto suspend_all = [&intent](std::string why) {
        intent.suspended.all = Suspension{std::move(why), {}, {}, {}};
    };
    if (suspensions) {
        intent.suspended = std::move(*suspensions);
    } else {
        suspend_all(std::move(suspensions.error()));
    }
    if (stops) {
        intent.stops = std::move(*stops);
    } else {
        suspend_all(std::move(stops.error()));
    }
    if (rollbacks) {
        intent.rollbacks = std::move(*rollbacks);
    } else {
        suspend_all(std::move(rollbacks.error()));
    }
    return intent;
}

std::expected<ManifestSet, SourceError> load_snapshot(const Snapshot& snapshot, const Limits& limits) {
    auto set = load(snapshot.files, limits);
    if (set) return std::move(*set);
    Diagnostics& errors = set.error();
    const std::size_t more = errors.size() - std::min(errors.size(), max_errors);
    errors.resize(errors.size() - more);
    for (Diagnostic& diagnostic : errors) diagnostic.where.file.insert(0, snapshot.prefix);
    std::string message = to_string(errors);
    if (more > 0) message += fmt::format("and {} more errors; l4d2ctl validate -f DIR lists all\n", more);
    return std::unexpected(SourceError{SourceErrorKind::Invalid, std::move(message), snapshot.revision});
}

namespace {

/// The source's newest revision, if it may be followed.
std::expected<ActiveRevision, SourceError> own_revision(const Paths& paths, Source& source,
                                                        std::expected<Snapshot, SourceError> snapshot,
                                                        const Limits& limits) {
    if (!snapshot) return std::unexpected(std::move(snapshot.error()));
    auto set = load_snapshot(*snapshot, limits);
    if (!set) return std::unexpected(std::move(set.error()));
    const std::string before = last_good_revision(paths);
    if (!before.empty() && before != snapshot->revision && !source.follows(before, snapshot->revision) &&
        !is_approved(paths, snapshot->revision)) {
        return std::unexpected(SourceError{
            SourceErrorKind::Held,
            fmt::format(
                "{}: commit {} does not descend from {}, which is in force: history was rewritten or wound "
                "back\n  l4d2ctl diff --revision {} shows what it would do; sudo l4d2ctl approve "
                "{} follows it\n",
                source.name(), snapshot->revision, before, snapshot->revision, snapshot->revision),
            snapshot->revision});
    }
    return ActiveRevision{std::move(*snapshot), std::move(*set), SourceErrorKind::None, {}, {}};
}

}  // namespace

std::expected<ActiveRevision, SourceError> revision_in_force(const Paths& paths, Source& source,
                                                             const Limits& limits) {
    return revision_in_force(paths, source, source.read(), limits);
}

std::expected<ActiveRevision, SourceError> revision_in_force(const Paths& paths, Source& source,
                                                             std::expected<Snapshot, SourceError> reading,
                                                             const Limits& limits) {
    auto own = own_revision(paths, source, std::move(reading), limits);
    if (own) return own;
    auto kept = read_last_good(paths);
    if (!kept) return own;
    Limits lenient = limits;
    lenient.followed_before = true;
    auto set = load(kept->files, lenient);
    if (!set) return own;
    SourceError& error = own.error();
    return ActiveRevision{std::move(*kept), std::move(*set), error.error_kind, std::move(error.message),
                          std::move(error.revision)};
}

std::expected<void, std::string> keep_last_good(const Paths& paths, const Snapshot& snapshot) {
    const auto kept = read_last_good(paths);
    if (kept && kept->revision == snapshot.revision) return {};
    return write_file(last_good_path(paths), write_bundle({snapshot.revision, snapshot.files}));
}

bool has_last_good(const Paths& paths) { return read_last_good(paths).has_value(); }

std::optional<Snapshot> last_good(const Paths& paths) { return read_last_good(paths); }

std::string last_good_revision(const Paths& paths) {
    const auto kept = read_last_good(paths);
    return kept ? kept->revision : std::string();
}

std::expected<void, std::string> approve(const Paths& paths, const std::string& revision) {
    return write_file(approved_path(paths), revision + "\n");
}

bool is_approved(const Paths& paths, const std::string& revision) {
    const auto text = read_file(approved_path(paths), 4096);
    return text && *text == revision + "\n";
}

}  // namespace left4me
