#include "adapters/directory/transaction_log.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <system_error>

#include "adapters/directory/hash.hpp"
#include "adapters/directory/source.hpp"
#include "adapters/files.hpp"
#include "adapters/source/bundle.hpp"

namespace left4me {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t max_log = std::size_t{256} << 20U;

fs::path log_path(const fs::path& directory) { return directory / ".left4me-commit"; }

std::string hash_of(std::string_view text) {
    ShortHash hash;
    hash.add(text);
    return hash.digits();
}

/// `write HASH PATH` or `remove HASH PATH`; HASH is `-` for a new file.
std::string entry_title(const LogEntry& entry) {
    const std::string hash = entry.before.empty() ? "-" : entry.before;
    return (entry.text ? "write " : "remove ") + hash + " " + entry.path.string();
}

bool stays_beneath(const fs::path& path) {
    return path.is_relative() && !path.empty() &&
           std::none_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".."; });
}

std::optional<LogEntry> parse_entry(const SourceFile& entry) {
    const std::size_t first = entry.name.find(' ');
    const std::size_t second = entry.name.find(' ', first + 1);
    if (first == std::string::npos || second == std::string::npos) return std::nullopt;
    const std::string verb = entry.name.substr(0, first);
    if (verb != "write" && verb != "remove") return std::nullopt;
    LogEntry parsed{.path = entry.name.substr(second + 1), .text = std::nullopt, .before = {}};
    if (!stays_beneath(parsed.path)) return std::nullopt;
    parsed.before = entry.name.substr(first + 1, second - first - 1);
    if (parsed.before == "-") parsed.before.clear();
    if (verb == "write") parsed.text = entry.text;
    return parsed;
}

std::string current_hash(const fs::path& path) {
    const auto text = read_file(path, max_log);
    return text ? hash_of(*text) : std::string();
}

/// Whether the file is still the one that the change was made from. If not, it was either written already or
/// edited since.
bool still_applies(const LogEntry& entry, const std::string& hash_now) { return entry.before == hash_now; }

std::expected<void, std::string> carry_out(const fs::path& directory, const TransactionLog& log) {
    for (const LogEntry& entry : log) {
        const fs::path path = directory / entry.path;
        if (!still_applies(entry, current_hash(path))) continue;
        if (entry.text) {
            if (auto written = write_file(path, *entry.text); !written) return written;
        } else if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
            return std::unexpected(errno_message(path, errno));
        }
    }
    const fs::path path = log_path(directory);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return std::unexpected(errno_message(path, errno));
    return {};
}

/// The target of a link belongs to somebody else.
std::expected<void, std::string> check_place(const fs::path& directory, const fs::path& path) {
    if (!stays_beneath(path.lexically_relative(directory))) {
        return std::unexpected(path.string() + ": lies outside of " + directory.string());
    }
    std::error_code ignored;
    if (fs::is_symlink(path, ignored)) {
        return std::unexpected(path.string() + ": is a symlink to " +
                               fs::read_symlink(path, ignored).string() + "; change the file there");
    }
    return {};
}

TransactionLog log_of(const fs::path& directory, const SourceChange& change) {
    TransactionLog log;
    for (const auto& [path, text] : change.write) {
        log.push_back({path.lexically_relative(directory), text, current_hash(path)});
    }
    for (const fs::path& path : change.remove) {
        log.push_back({path.lexically_relative(directory), std::nullopt, current_hash(path)});
    }
    return log;
}

}  // namespace

std::expected<std::optional<TransactionLog>, std::string> read_transaction_log(const fs::path& directory,
                                                                               const Limits& limits) {
    const fs::path path = log_path(directory);
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(path, ignored))) return std::nullopt;
    const auto text = read_file(path, std::max(limits.file_bytes, max_log));
    if (!text) return std::unexpected(text.error());
    const auto bundle = read_bundle(*text);
    const std::string damaged = path.string() + ": damaged; look at it, then remove it";
    if (!bundle) return std::unexpected(damaged);
    TransactionLog log;
    for (const SourceFile& entry : bundle->entries) {
        auto parsed = parse_entry(entry);
        if (!parsed) return std::unexpected(damaged);
        log.push_back(std::move(*parsed));
    }
    return log;
}

std::vector<SourceFile> with_transaction_log(const fs::path& directory, std::vector<SourceFile> files,
                                             const TransactionLog& log) {
    std::map<std::string, std::string> texts;
    for (SourceFile& file : files) texts.emplace(std::move(file.name), std::move(file.text));
    for (const LogEntry& entry : log) {
        const std::string name = (directory / entry.path).string();
        const auto found = texts.find(name);
        if (!still_applies(entry, found == texts.end() ? std::string() : hash_of(found->second))) continue;
        if (entry.text) {
            texts[name] = *entry.text;
        } else if (found != texts.end()) {
            texts.erase(found);
        }
    }
    std::vector<SourceFile> result;
    for (auto& [name, text] : texts) result.push_back({name, std::move(text)});
    return result;
}

std::expected<void, std::string> finish_commit(const fs::path& directory) {
    const auto log = read_transaction_log(directory, Limits{});
    if (!log) return std::unexpected(log.error());
    if (!*log) return {};
    return carry_out(directory, **log);
}

std::expected<void, std::string> commit(const fs::path& directory, const SourceChange& change) {
    for (const auto& [path, text] : change.write) {
        if (auto ours = check_place(directory, path); !ours) return ours;
    }
    for (const fs::path& path : change.remove) {
        if (auto ours = check_place(directory, path); !ours) return ours;
    }
    // A killed commit leaves a temporary file in each directory that it wrote to. Edits hold a lock, so it is
    // safe to remove them.
    std::set<fs::path> places{directory};
    for (const auto& [path, text] : change.write) places.insert(path.parent_path());
    for (const fs::path& place : places) remove_leftovers(place);
    const TransactionLog log = log_of(directory, change);
    if (log.size() > 1) {
        Bundle bundle{.title = "a change of the manifests, to be finished", .entries = {}};
        for (const LogEntry& entry : log) {
            bundle.entries.push_back({entry_title(entry), entry.text.value_or("")});
        }
        // With this rename the whole change is committed, even if we are killed.
        if (auto written = write_file(log_path(directory), write_bundle(bundle)); !written) return written;
    }
    return carry_out(directory, log);
}

}  // namespace left4me
