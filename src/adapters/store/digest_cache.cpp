#include "adapters/store/digest_cache.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <system_error>

#include "adapters/digest.hpp"

namespace left4me::store {

std::optional<std::string> DigestCache::find(const std::string& key, const StatFingerprint& stats) {
    load();
    const auto known = entries_.find(key);
    if (known == entries_.end() || known->second.fingerprint != stats.fingerprint) return std::nullopt;
    known->second.used = true;
    return known->second.digest;
}

void DigestCache::remember(const std::string& key, const StatFingerprint& stats, const std::string& digest) {
    load();
    constexpr std::chrono::seconds settled{1};
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const bool fits_a_line = key.find('\n') == std::string::npos;
    if (!fits_a_line || std::chrono::nanoseconds(stats.newest_change) >= now - settled) return;
    entries_[key] = Entry{stats.fingerprint, digest, true};
    changed_ = true;
}

void DigestCache::load() {
    if (loaded_) return;
    loaded_ = true;
    std::ifstream stream(file_);
    std::string fingerprint;
    std::string digest;
    std::string path;
    while (stream >> fingerprint >> digest && stream.get() == ' ' && std::getline(stream, path)) {
        if (is_digest(fingerprint) && is_digest(digest)) entries_[path] = {fingerprint, digest, false};
    }
}

void DigestCache::save() {
    changed_ |= std::erase_if(entries_, [](const auto& entry) { return !entry.second.used; }) > 0;
    for (auto& [path, entry] : entries_) entry.used = false;
    if (!changed_) return;
    changed_ = false;
    const std::string fresh = fmt::format("{}.{}", file_.string(), ::getpid());
    {
        std::ofstream stream(fresh, std::ios::trunc);
        for (const auto& [path, entry] : entries_) {
            stream << entry.fingerprint << ' ' << entry.digest << ' ' << path << '\n';
        }
        if (!stream.flush()) return;
    }
    std::error_code ignored;
    std::filesystem::rename(fresh, file_, ignored);
}

}  // namespace left4me::store
