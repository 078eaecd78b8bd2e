#include "builder/workshop/workshop.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/store/files.hpp"
#include "builder/addons.hpp"
#include "builder/workshop/steam_api.hpp"
#include "builder/workshop/vpk.hpp"
#include "reconciler/digest.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

namespace {

/// In `.build/download`.
std::string download_name_of(const WorkshopItem& item) { return "item-" + item.id; }
/// Connections to Steam's servers: more would not be faster, and not polite.
constexpr unsigned at_once = 4;
/// In `.build`: which version of each item an artifact has. Lines `NAME CONTENT IDENTITY`.
constexpr const char* versions_name = "versions";
constexpr std::size_t max_versions_bytes = 4U << 20U;
/// Steam's own limit is 128 characters.
constexpr std::size_t max_title_bytes = 512;

std::string hex_digits(const store::Content& content) {
    std::string text;
    for (const char byte : content.digest) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return text;
}

/// Identifies the content of a file.
std::string hex(const store::Content& content) { return (content.sparse ? "s" : "-") + hex_digits(content); }

std::string name_of(const WorkshopItem& item) { return item.id + ".vpk"; }

/// Steam publishes no digest: this is all that changes with the content.
std::string identity_of(const WorkshopItem& item) {
    return fmt::format("{} {} {}", item.id, item.updated, item.content);
}

/// Instead of what the manifest names: exactly the pinned items, whatever has come to collections since.
WorkshopSource wanted(const WorkshopSource& source) {
    if (!source.pin) return source;
    WorkshopSource pinned = source;
    pinned.items.clear();
    for (const auto& [id, item] : source.pin->items) pinned.items.push_back(id);
    pinned.collections.clear();
    pinned.exclude.clear();
    return pinned;
}

std::string updated_text(std::string_view title, const std::string& updated, std::uint64_t size) {
    return fmt::format("{} was updated at {} and has {} bytes", in_quotes(title), updated, size);
}

/// Of numbers that ask_steam() has checked.
ItemPin pin_of(const WorkshopItem& item) { return {std::stoull(item.updated), item.size, {}}; }

Built<void> check_pins(const WorkshopSource& source, const std::vector<WorkshopItem>& items) {
    if (!source.pin) return {};
    for (const WorkshopItem& item : items) {
        const ItemPin& pin = source.pin->items.at(item.id);
        if (pin.updated == pin_of(item).updated && pin.size == item.size) continue;
        return not_as_pinned(printable_line(
            fmt::format("item {}: {}; left4me.lock pins the one of {} with {} bytes", item.id,
                        updated_text(item.title, item.updated, item.size), pin.updated, pin.size)));
    }
    return {};
}

/// The digits that `sha256sum` prints.
Built<std::string> sha256_of(int file, const std::string& shown) {
    Digest digest;
    std::string buffer(1U << 20U, '\0');
    for (std::uint64_t at = 0;;) {
        const auto read = store::read_at(file, buffer, at, shown);
        if (!read) return own_failure(errno, read.error());
        if (read->empty()) return digest.hex(Digest::all_digits);
        digest.add(*read);
        at += read->size();
    }
}

class WorkshopBuild {
  public:
    WorkshopBuild(const WorkshopSource& source, int build_directory, Progress& progress,
                  const DownloadSettings& settings)
        : source_(source),
          build_directory_(build_directory),
          downloads_{settings, parse_networks(source.private_networks), progress, fingerprint(source)} {}

    Built<Staged> run(int last_artifact, Staging& staging) {
        auto items = ask_steam(wanted(source_), build_directory_, downloads_);
        if (!items) return std::unexpected(items.error());
        if (auto pinned = check_pins(source_, *items); !pinned) return std::unexpected(pinned.error());
        std::sort(items->begin(), items->end(),
                  [](const WorkshopItem& a, const WorkshopItem& b) { return name_of(a) < name_of(b); });
        std::vector<Addon> files;
        for (const WorkshopItem& item : *items)
            files.push_back({name_of(item), item.size, identity_of(item)});
        const std::map<std::string, std::string> known = read_versions();
        Addons addons(files, build_directory_, last_artifact, staging, downloads_.progress, downloads_.input);
        const auto line = [&](std::size_t i, const store::Content& content) {
            return hex(content) + " " + files[i].identity;
        };
        auto staged = addons.stage(
            {.name =
                 [&](std::size_t i) {
                     return fmt::format("item {} {}", (*items)[i].id, in_quotes((*items)[i].title));
                 },
             .is_right = [&](std::size_t i, int, const store::Content& content) -> Built<bool> {
                 const auto found = known.find(files[i].name);
                 return found != known.end() && found->second == line(i, content);
             },
             .fetch = [&](std::size_t i) { return fetch((*items)[i]); },
             .staged = [&](std::size_t) { return Built<void>(); },
             .at_once = at_once,
             .stop = downloads_.stop});
        if (!staged) return staged;
        // Lines of files that no artifact has are never right: so this may be written before the artifact is
        // there.
        std::string versions;
        for (std::size_t i = 0; i < files.size(); ++i)
            versions += files[i].name + " " + line(i, addons.contents()[i]) + "\n";
        if (auto written = write_versions(versions); !written) return std::unexpected(written.error());
        auto pin = pin_of_staged(*items, addons.contents(), staging);
        if (!pin) return std::unexpected(pin.error());
        staged->pin = std::move(*pin);
        for (const WorkshopItem& item : *items)
            staged->titles[item.id] = item.title.substr(0, max_title_bytes);
        return staged;
    }

    Built<WorkshopPin> look_up() {
        const auto items = ask_steam(source_, build_directory_, downloads_);
        if (!items) return std::unexpected(items.error());
        WorkshopPin pin;
        for (const WorkshopItem& item : *items) pin.items[item.id] = pin_of(item);
        return pin;
    }

  private:
    /// Checks the digests that are pinned, too. What does not have them is not kept.
    Built<WorkshopPin> pin_of_staged(const std::vector<WorkshopItem>& items,
                                     const std::vector<store::Content>& contents, Staging& staging) const {
        WorkshopPin pin;
        for (std::size_t i = 0; i < items.size(); ++i) {
            const WorkshopItem& item = items[i];
            auto sha256 = sha256_of_staged(item, contents[i], staging);
            if (!sha256) return std::unexpected(sha256.error());
            const std::string wanted = source_.pin ? source_.pin->items.at(item.id).sha256 : std::string();
            if (!wanted.empty() && wanted != *sha256) {
                if (auto restarted = staging.restart(); !restarted) return std::unexpected(restarted.error());
                return not_as_pinned(printable_line(
                    fmt::format("item {}: {} and the SHA-256 {}; left4me.lock pins {}", item.id,
                                updated_text(item.title, item.updated, item.size), *sha256, wanted)));
            }
            ItemPin& one = pin.items[item.id] = pin_of(item);
            one.sha256 = std::move(*sha256);
        }
        return pin;
    }

    static Built<std::string> sha256_of_staged(const WorkshopItem& item, const store::Content& content,
                                               const Staging& staging) {
        // The digest of a file with holes is not that of its bytes.
        if (!content.sparse) return hex_digits(content);
        const std::string name = addon_path(name_of(item));
        const Fd file = store::open_beneath(staging.tree(), name, O_RDONLY | O_NOFOLLOW);
        if (!file) return own_failure(errno, store::io_error(name).error());
        return sha256_of(file.get(), name);
    }

    std::map<std::string, std::string> read_versions() const {
        std::map<std::string, std::string> versions;
        const std::string text =
            store::read_file(build_directory_, versions_name, max_versions_bytes).value_or("");
        std::string_view rest = text;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            const std::string_view line = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            const std::size_t blank = line.find(' ');
            if (blank == std::string_view::npos) continue;
            versions[std::string(line.substr(0, blank))] = line.substr(blank + 1);
        }
        return versions;
    }

    Built<void> write_versions(const std::string& text) const {
        const std::string fresh = std::string(versions_name) + ".new";
        const Fd file(::openat(build_directory_, fresh.c_str(),
                               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640));
        if (!file || !store::write_all(file.get(), text, fresh) ||
            ::renameat(build_directory_, fresh.c_str(), build_directory_, versions_name) != 0) {
            const int error = errno;
            return own_failure(error, store::io_error(versions_name).error());
        }
        return {};
    }

    /// Returns the name of its file in `.build/download`.
    Built<std::string> fetch(const WorkshopItem& item) {
        auto file = PartialFile::open(build_directory_, download_name_of(item),
                                      fmt::format("{} {}", identity_of(item), item.size));
        if (!file) return std::unexpected(file.error());
        TransferLimits limits = downloads_.settings.limits;
        limits.bytes = item.size;
        limits.remedy = "Steam says that the item has no more";
        const auto fetched = file->fetch(item.url, limits, downloads_, [&] { return verify(item, *file); });
        if (fetched) return download_name_of(item);
        BuildError error = fetched.error();
        if (error.kind == BuildFailureKind::SourceUnavailable)
            error.message += "; try later, or remove or exclude it";
        return std::unexpected(std::move(error));
    }

    static Built<void> verify(const WorkshopItem& item, const PartialFile& file) {
        if (file.bytes() != item.size)
            return source_failure(
                fmt::format("it has {} bytes, not the {} that Steam says", file.bytes(), item.size));
        const auto content = file.read_only();
        if (!content) return std::unexpected(content.error());
        return check_vpk(content->get());
    }

    const WorkshopSource& source_;
    int build_directory_;
    Downloads downloads_;
};

}  // namespace

Built<Staged> stage_workshop(const WorkshopSource& source, int build_directory, int last_artifact,
                             Staging& staging, Progress& progress, const DownloadSettings& settings) {
    return WorkshopBuild(source, build_directory, progress, settings).run(last_artifact, staging);
}

Built<WorkshopPin> look_up_workshop(const WorkshopSource& source, int build_directory, Progress& progress,
                                    const DownloadSettings& settings) {
    return WorkshopBuild(source, build_directory, progress, settings).look_up();
}

}  // namespace left4me::builder
