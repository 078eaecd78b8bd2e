#include "adapters/store/source_reader.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fmt/format.h>

#include "adapters/store/source_root.hpp"
#include "adapters/store/tree.hpp"

namespace left4me::store {

namespace {

constexpr std::size_t max_threads = 8;

SourceReader::Fingerprint fingerprint_of(const DirectorySource& source) {
    const auto root = open_source(source);
    if (!root) return std::unexpected(root.error());
    const auto tree = scan_tree(root->get(), source.limits);
    if (!tree) return std::unexpected(fmt::format("{}: {}", source.path, tree.error()));
    // An empty directory is what remains when a disk is not mounted. Nobody needs an empty overlay.
    if (tree->entries.empty()) return std::unexpected(source.path + " is empty; is its file system mounted?");
    return tree->stats.fingerprint;
}

}  // namespace

SourceReader::SourceReader(std::optional<std::chrono::milliseconds> timeout)
    : timeout_(timeout), news_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!news_) throw std::system_error(errno, std::generic_category(), "eventfd");
}

SourceReader::~SourceReader() {
    for (std::jthread& thread : threads_) thread.request_stop();
}

std::map<std::string, std::optional<SourceReader::Fingerprint>> SourceReader::read(
    const std::map<std::string, OverlaySource>& overlays) {
    std::unique_lock lock(mutex_);
    std::set<std::string> asked;
    for (const auto& [name, source] : overlays) {
        if (const auto* directory = std::get_if<DirectorySource>(&source)) {
            ask(*directory);
            asked.insert(directory->path);
        }
    }
    std::erase_if(entries_,
                  [&](const auto& entry) { return !entry.second.open && !asked.contains(entry.first); });
    wait(lock);
    std::map<std::string, std::optional<Fingerprint>> fingerprints;
    for (const auto& [name, source] : overlays) {
        if (const auto* directory = std::get_if<DirectorySource>(&source))
            fingerprints.emplace(name, entries_.at(directory->path).known);
    }
    return fingerprints;
}

void SourceReader::ask(const DirectorySource& source) {
    Entry& entry = entries_[source.path];
    if (entry.source != source) {
        entry.source = source;
        entry.known.reset();
    }
    // A read in progress began earlier. But its result is news, and triggers another observation.
    if (entry.open) return;
    entry.open = true;
    entry.awaited = true;
    ++open_;
    waiting_.push_back(source.path);
}

void SourceReader::wait(std::unique_lock<std::mutex>& lock) {
    if (waiting_.empty()) return;
    if (threads_.empty()) add_thread();
    work_.notify_all();
    const auto all = [this] {
        return std::none_of(entries_.begin(), entries_.end(),
                            [](const auto& entry) { return entry.second.open && entry.second.awaited; });
    };
    if (!timeout_) return done_.wait(lock, all);
    if (*timeout_ > timeout_->zero() && done_.wait_for(lock, *timeout_, all)) return;
    for (auto& [path, entry] : entries_) entry.awaited = false;
    if (!waiting_.empty() && threads_.size() < max_threads) add_thread();
}

void SourceReader::add_thread() {
    threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
}

void SourceReader::run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (work_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
        if (stop.stop_requested()) return;
        const std::string path = std::move(waiting_.front());
        waiting_.pop_front();
        const DirectorySource source = entries_.at(path).source;
        lock.unlock();
        Fingerprint fingerprint = fingerprint_of(source);
        lock.lock();
        Entry& entry = entries_.at(path);
        entry.open = false;
        --open_;
        const bool same_question = entry.source == source;
        const bool news = !same_question || entry.known != fingerprint;
        if (same_question) entry.known = std::move(fingerprint);
        if (!entry.awaited && news) (void)::eventfd_write(news_.get(), 1);
        done_.notify_all();
    }
}

bool SourceReader::drain() {
    eventfd_t count = 0;
    return ::eventfd_read(news_.get(), &count) == 0;
}

bool SourceReader::idle() {
    const std::lock_guard lock(mutex_);
    return open_ == 0;
}

}  // namespace left4me::store
