#include "adapters/directory/revision.hpp"

#include <fmt/format.h>

#include "adapters/directory/bundle.hpp"
#include "adapters/directory/files.hpp"

namespace left4me {

namespace fs = std::filesystem;

namespace {

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

Desired InForce::desired(const Paths& paths) const {
    Desired desired = make_desired(set, snapshot.revision);
    desired.approved = is_approved(paths, snapshot.revision);
    return desired;
}

std::expected<InForce, SourceError> revision_in_force(const Paths& paths, const fs::path& directory,
                                                      const Limits& limits) {
    SourceError error;
    auto snapshot = read_directory(directory, limits);
    if (snapshot) {
        auto set = load(snapshot->files, limits);
        if (set) return InForce{std::move(*snapshot), std::move(*set), Trouble::None, {}};
        error = {Trouble::Invalid, to_string(set.error())};
    } else {
        error = {Trouble::Vanished, snapshot.error() + "\n"};
    }
    auto last_good = read_last_good(paths);
    if (!last_good) return std::unexpected(std::move(error));
    auto set = load(last_good->files, limits);
    if (!set) return std::unexpected(std::move(error));
    return InForce{std::move(*last_good), std::move(*set), error.trouble, std::move(error.message)};
}

std::expected<void, std::string> keep_last_good(const Paths& paths, const Snapshot& snapshot) {
    const auto kept = read_last_good(paths);
    if (kept && kept->revision == snapshot.revision) return {};
    return write_file(last_good_path(paths), write_bundle({snapshot.revision, snapshot.files}));
}

bool has_last_good(const Paths& paths) { return read_last_good(paths).has_value(); }

std::expected<void, std::string> approve(const Paths& paths, const std::string& revision) {
    return write_file(approved_path(paths), revision + "\n");
}

bool is_approved(const Paths& paths, const std::string& revision) {
    const auto text = read_file(approved_path(paths), 4096);
    return text && *text == revision + "\n";
}

}  // namespace left4me
