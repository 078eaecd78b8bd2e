#include "builder/partial_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <utility>

#include "adapters/store/copy.hpp"
#include "adapters/store/files.hpp"
#include "builder/retries.hpp"
#include "builder/say.hpp"
#include "builder/staging.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

namespace {

constexpr std::size_t max_origin_bytes = 16U << 10U;

/// For messages.
constexpr const char* shown = "the downloaded file";

std::unexpected<BuildError> own() {
    const int error = errno;
    return own_failure(error, store::io_error(shown).error());
}

/// 0 if it is none.
std::uint64_t number(const std::string& text) {
    std::uint64_t value = 0;
    (void)std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string stopped(const std::string& url) { return url + ": stopped, because another download failed"; }

std::string origin_name(const std::string& name) { return name + ".origin"; }

}  // namespace

std::vector<Network> parse_networks(const std::vector<std::string>& texts) {
    std::vector<Network> networks;
    for (const std::string& text : texts) {
        if (const auto network = Network::parse(text)) networks.push_back(*network);
    }
    return networks;
}

Built<PartialFile> PartialFile::open(int build_directory, const std::string& name, std::string identity) {
    auto directory = store::make_directory(build_directory, Staging::download_name, 0750);
    if (!directory) return own_failure(errno, directory.error());
    PartialFile file(std::move(*directory), name, std::move(identity));
    file.file_ = Fd(::openat(file.directory_.get(), name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
                             store::overlay_file_mode));
    if (!file.file_) return own();
    file.origin_ = file.read_origin();
    return file;
}

PartialFile::Origin PartialFile::read_origin() const {
    const std::string text =
        store::read_file(directory_.get(), origin_name(name_), max_origin_bytes).value_or("");
    std::array<std::string, 5> lines;
    std::size_t begin = 0;
    for (std::string& line : lines) {
        const std::size_t end = text.find('\n', begin);
        if (end == std::string::npos) return {};
        line = text.substr(begin, end - begin);
        begin = end + 1;
    }
    return {lines[0], lines[1], lines[2], number(lines[3]), number(lines[4])};
}

Built<void> PartialFile::write_origin() const {
    const std::string text = fmt::format("{}\n{}\n{}\n{}\n{}\n", origin_.identity, origin_.url,
                                         origin_.validator, origin_.total, origin_.parts);
    const std::string name = origin_name(name_);
    const std::string fresh = name + ".new";
    const Fd file(::openat(directory_.get(), fresh.c_str(),
                           O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640));
    if (!file || !store::write_all(file.get(), text, fresh) ||
        ::renameat(directory_.get(), fresh.c_str(), directory_.get(), name.c_str()) != 0)
        return own();
    return {};
}

std::uint64_t PartialFile::bytes() const {
    struct stat status{};
    return ::fstat(file_.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

Built<Fd> PartialFile::read_only() const {
    Fd file(::openat(directory_.get(), name_.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file) return own();
    return file;
}

Built<void> PartialFile::empty() {
    if (::ftruncate(file_.get(), 0) != 0) return own();
    return {};
}

Built<void> PartialFile::discard() {
    origin_ = {};
    if (::unlinkat(directory_.get(), origin_name(name_).c_str(), 0) != 0 && errno != ENOENT) return own();
    return empty();
}

Built<std::string> PartialFile::download(const std::string& url, const TransferLimits& limits,
                                         const Downloads& downloads, const std::string& form) {
    Retries retries(downloads.settings);
    std::uint64_t furthest = 0;
    while (true) {
        own_error_.reset();
        if (!downloads.pauses->wait(url, downloads.stop.get_token())) return stopped(url);
        const TransferResult result = attempt(url, form, limits, downloads);
        web_page_ = result.web_page;
        switch (result.end) {
            case TransferEnd::Complete:
                return std::string();
            case TransferEnd::OwnError:
                if (own_error_) return std::unexpected(*own_error_);
                return fmt::format("{}: {}", url, result.message);
            case TransferEnd::Refused:
                return fmt::format("{}: {}", url, result.message);
            case TransferEnd::Interrupted:
            case TransferEnd::Stale:
            case TransferEnd::NothingMore:
                break;
        }
        // Data that were there before are no progress: a server that always breaks off ends, too.
        if (at_ > furthest) {
            furthest = at_;
            retries.begin_again();
        }
        if (downloads.stop.stop_requested()) return stopped(url);
        const auto pause = retries.next(url, result);
        if (!pause) return fmt::format("{}: {}", url, pause.error());
        downloads.pauses->pause(url, *pause);
    }
}

Built<void> PartialFile::fetch(const std::string& url, const TransferLimits& limits,
                               const Downloads& downloads, const std::function<Built<void>()>& verify) {
    for (bool again = false;; again = true) {
        const auto error = download(url, limits, downloads);
        if (!error) return std::unexpected(error.error());
        if (!error->empty()) return source_failure(*error);
        const auto verified = verify();
        if (verified || verified.error().kind != BuildFailureKind::SourceUnavailable) return verified;
        if (is_patched()) {
            if (auto discarded = discard(); !discarded) return discarded;
            if (!again) continue;
        }
        return source_failure(fmt::format(
            "{}: {}{}", url, is_web_page() ? "the server sent a web page: " : "", verified.error().message));
    }
}

TransferResult PartialFile::attempt(const std::string& url, const std::string& form,
                                    const TransferLimits& limits, const Downloads& downloads) {
    TransferRequest request{url, 0, "", downloads.settings.ca_file, downloads.private_networks, limits};
    if (!form.empty()) request.post = form;
    request.stop = downloads.stop.get_token();
    if (form.empty() && is_wanted() && origin_.url == url && !origin_.validator.empty()) {
        request.offset = bytes();
        request.validator = origin_.validator;
    }
    TransferSink sink;
    sink.begin = [&](std::uint64_t offset, std::uint64_t total, const std::string& validator) {
        const std::uint64_t parts = offset > 0 ? origin_.parts + 1 : 1;
        auto begun = begin({identity_, url, validator, total, parts}, offset, downloads);
        if (!begun) own_error_ = begun.error();
        return begun.has_value();
    };
    sink.write = [&](std::string_view data) { return write(data, downloads.progress); };
    TransferResult result = transfer(request, sink);
    // All of it was there, and the server's file is the same.
    if (result.end == TransferEnd::NothingMore && request.offset > 0 && request.offset == origin_.total) {
        result.end = TransferEnd::Complete;
    }
    if (result.end == TransferEnd::Stale || result.end == TransferEnd::NothingMore) {
        if (auto emptied = empty(); !emptied) {
            own_error_ = emptied.error();
            result.end = TransferEnd::OwnError;
        }
    }
    return result;
}

Built<void> PartialFile::begin(Origin origin, std::uint64_t offset, const Downloads& downloads) {
    const std::uint64_t total = origin.total;
    say(fmt::format("{} {}{}", offset > 0 ? fmt::format("resuming at {} bytes:", offset) : "downloading",
                    printable_line(origin.url), total > 0 ? fmt::format(", {} bytes", total) : ""));
    downloads.progress.begin(BuildPhase::Downloading, total, 0, downloads.input);
    downloads.progress.at(offset);
    at_ = offset;
    if (::ftruncate(file_.get(), static_cast<off_t>(offset)) != 0) return own();
    struct statvfs space{};
    if (total > offset && ::fstatvfs(file_.get(), &space) == 0 &&
        static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize < total - offset) {
        return own_failure(
            ENOSPC, fmt::format("{} more bytes to download do not fit on the disk, which has {} free",
                                total - offset, static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize));
    }
    origin_ = std::move(origin);
    return write_origin();
}

bool PartialFile::write(std::string_view data, Progress& progress) {
    if (const auto wrote = store::write_at(file_.get(), data, at_, shown); !wrote) {
        own_error_ = own_failure(errno, wrote.error()).error();
        return false;
    }
    at_ += data.size();
    progress.at(at_);
    return true;
}

}  // namespace left4me::builder
