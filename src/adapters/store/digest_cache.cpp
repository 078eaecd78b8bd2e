#include "adapters/store/digest_cache.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <system_error>

#include "adapters/generation.hpp"
#include "adapters/store/source_root.hpp"
#include "adapters/store/tree.hpp"

namespace left4me::store {

std::expected<std::string, std::string> DigestCache::generation_of(const DirectorySource& source,
                                                                   const std::stop_token& stop) {
    const std::string& path = source.path;
    const auto root = open_source(source);
    if (!root) return std::unexpected(root.error());
    const auto tree = scan_tree(root->get(), source.limits);
    if (!tree) return std::unexpected(fmt::format("{}: {}", path, tree.error()));
    // What is left behind when a disk is not mounted. Nobody needs an overlay with nothing in it.
    if (tree->entries.empty()) return std::unexpected(path + " is empty; is its file system mounted?");
    if (auto known = find(path, tree->looks)) return *known;
    auto generation = digest_tree(root->get(), *tree, stop);
    if (!generation) return std::unexpected(fmt::format("{}: {}", path, generation.error()));
    remember(path, tree->looks, *generation);
    return generation;
}

std::optional<std::string> DigestCache::find(const std::string& key, const Looks& looks) {
    const std::lock_guard lock(mutex_);
    load();
    const auto known = entries_.find(key);
    if (known == entries_.end() || known->second.fingerprint != looks.fingerprint) return std::nullopt;
    known->second.used = true;
    return known->second.generation;
}

void DigestCache::remember(const std::string& key, const Looks& looks, const std::string& generation) {
    const std::lock_guard lock(mutex_);
    load();
    constexpr std::chrono::seconds settled{1};
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const bool fits_a_line = key.find('\n') == std::string::npos;
    if (!fits_a_line || std::chrono::nanoseconds(looks.newest_change) >= now - settled) return;
    entries_[key] = Entry{looks.fingerprint, generation, true};
    changed_ = true;
}

void DigestCache::keep(const std::string& key) {
    const std::lock_guard lock(mutex_);
    load();
    if (const auto known = entries_.find(key); known != entries_.end()) known->second.used = true;
}

void DigestCache::load() {
    if (loaded_) return;
    loaded_ = true;
    std::ifstream stream(file_);
    std::string fingerprint;
    std::string generation;
    std::string path;
    while (stream >> fingerprint >> generation && stream.get() == ' ' && std::getline(stream, path)) {
        if (is_generation(fingerprint) && is_generation(generation))
            entries_[path] = {fingerprint, generation, false};
    }
}

void DigestCache::save() {
    const std::lock_guard lock(mutex_);
    changed_ |= std::erase_if(entries_, [](const auto& entry) { return !entry.second.used; }) > 0;
    for (auto& [path, entry] : entries_) entry.used = false;
    if (!changed_) return;
    changed_ = false;
    const std::string fresh = fmt::format("{}.{}", file_.string(), ::getpid());
    {
        std::ofstream stream(fresh, std::ios::trunc);
        for (const auto& [path, entry] : entries_) {
            stream << entry.fingerprint << ' ' << entry.generation << ' ' << path << '\n';
        }
        if (!stream.flush()) return;
    }
    std::error_code ignored;
    std::filesystem::rename(fresh, file_, ignored);
}

}  // namespace left4me::store
