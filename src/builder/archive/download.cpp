#include "builder/archive/download.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <thread>
#include <vector>

#include "adapters/store/content.hpp"
#include "adapters/store/files.hpp"
#include "adapters/store/source_root.hpp"
#include "builder/staging.hpp"
#include "reconciler/digest.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

namespace {

constexpr const char* data_name = "data";
constexpr const char* origin_name = "origin";
constexpr std::size_t max_origin_bytes = 16U << 10U;

void say(const std::string& line) { (void)std::fprintf(stderr, "%s\n", line.c_str()); }

/// What the data in the directory are a part of: three lines.
struct Origin {
    std::string sha256;
    std::string url;
    std::string validator;  ///< empty: the rest cannot be asked for

    bool operator==(const Origin&) const = default;
};

Origin read_origin(int directory) {
    const std::string text = store::read_file(directory, origin_name, max_origin_bytes).value_or("");
    std::array<std::string, 3> lines;
    std::size_t begin = 0;
    for (std::string& line : lines) {
        const std::size_t end = text.find('\n', begin);
        if (end == std::string::npos) return {};
        line = text.substr(begin, end - begin);
        begin = end + 1;
    }
    return {lines[0], lines[1], lines[2]};
}

/// For messages.
constexpr const char* shown = "the downloaded archive";

/// The digits that `sha256sum` prints.
std::expected<std::string, std::string> sha256_of(int file) {
    Digest digest;
    std::string buffer(1U << 20U, '\0');
    for (std::uint64_t at = 0;;) {
        const auto read = store::read_at(file, buffer, at, shown);
        if (!read) return std::unexpected(read.error());
        if (read->empty()) return digest.hex(Digest::all_digits);
        digest.add(*read);
        at += read->size();
    }
}

class Download {
  public:
    Download(const ArchiveSource& source, Progress& progress, const DownloadSettings& settings)
        : source_(source), progress_(progress), settings_(settings), input_(fingerprint(source)) {
        for (const std::string& text : source.private_networks) {
            if (const auto network = Network::parse(text)) networks_.push_back(*network);
        }
        limits_ = settings.limits;
        limits_.bytes = std::min(limits_.bytes, source.limits.bytes);
    }

    Built<Fd> run(int build_directory) {
        auto directory = store::make_directory(build_directory, Staging::download_name, 0750);
        if (!directory) return own_failure(errno, directory.error());
        directory_ = std::move(*directory);
        file_ = Fd(::openat(directory_.get(), data_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640));
        if (!file_) return own();
        // All of it may be there: the build was killed, or could not unpack it.
        if (bytes() > 0 && read_origin(directory_.get()).sha256 == source_.sha256) {
            const auto verified = is_verified();
            if (!verified) return std::unexpected(verified.error());
            if (*verified) return read_only();
        }
        std::string errors;
        for (const ArchiveLocation& location : source_.locations) {
            auto error = get(location);
            // The parts may be of two files.
            if (error && !error->empty() && resumed_ && bytes() == 0) error = get(location);
            if (!error) return std::unexpected(error.error());
            if (error->empty()) return read_only();
            say(printable_line(*error));
            errors += (errors.empty() ? "" : "; ") + *error;
        }
        return source_failure(printable_line(errors));
    }

  private:
    static std::unexpected<BuildError> own() {
        const int error = errno;
        return own_failure(error, store::io_error(shown).error());
    }

    std::uint64_t bytes() const {
        struct stat status{};
        return ::fstat(file_.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
    }

    /// Whoever parses it must not be able to write to it.
    Built<Fd> read_only() const {
        Fd file(::openat(directory_.get(), data_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
        if (!file) return own();
        return file;
    }

    Built<void> empty() {
        if (::ftruncate(file_.get(), 0) != 0) return own();
        return {};
    }

    Built<bool> is_verified() {
        const auto found = sha256_of(file_.get());
        if (!found) return own_failure(errno, found.error());
        found_ = *found;
        return found_ == source_.sha256;
    }

    std::string mismatch(const std::string& url) const {
        return fmt::format(
            "{}: {} with the SHA-256 {}, not {}; correct the URL, or `sha256` if the new file is "
            "the one that you want",
            url, web_page_ ? "the server sent a web page" : "this is a file", found_, source_.sha256);
    }

    // The following return an error of this location, which names it (empty: none), or an error of our own.

    /// The verified archive. If it is another file, nothing of it is kept.
    Built<std::string> get(const ArchiveLocation& location) {
        resumed_ = false;
        auto error = location.root.empty() ? download(location.url) : copy(location);
        if (!error || !error->empty()) return error;
        const auto verified = is_verified();
        if (!verified) return std::unexpected(verified.error());
        if (*verified) return error;
        if (auto emptied = empty(); !emptied) return std::unexpected(emptied.error());
        return mismatch(location.url);
    }

    Built<std::string> copy(const ArchiveLocation& location) {
        web_page_ = false;
        const auto from = store::open_source_file(location.url, location.root);
        if (!from) return from.error();
        struct stat status{};
        if (::fstat(from->get(), &status) != 0) return own();
        const auto size = static_cast<std::uint64_t>(status.st_size);
        if (size > limits_.bytes) return location.url + " is larger than limits.overlayBytes";
        say("copying " + printable_line(location.url));
        progress_.begin(BuildPhase::Downloading, size, 0, input_);
        // What was downloaded goes, and nothing may be added to what is copied.
        if (::unlinkat(directory_.get(), origin_name, 0) != 0 && errno != ENOENT) return own();
        if (auto emptied = empty(); !emptied) return std::unexpected(emptied.error());
        // Copied first: its owner may change it between the check and the unpacking.
        const auto copied = store::copy_content(from->get(), file_.get(), location.url,
                                                [this](std::uint64_t more) { progress_.bytes(more); });
        if (!copied) return own_failure(errno, copied.error());
        return std::string();
    }

    Built<std::string> download(const std::string& url) {
        std::chrono::milliseconds wait = settings_.wait;
        std::uint64_t furthest = 0;
        for (unsigned failed = 0;;) {
            own_error_.reset();
            const TransferResult result = attempt(url);
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
                    break;
            }
            // Data that were there before are no progress: a server that always breaks off ends, too.
            if (at_ > furthest) {
                furthest = at_;
                failed = 0;
                wait = settings_.wait;
            }
            if (++failed >= settings_.tries) return fmt::format("{}: {}", url, result.message);
            std::chrono::milliseconds pause = wait;
            if (result.retry_after) {
                if (*result.retry_after > settings_.longest_wait)
                    return fmt::format("{}: {}, and asks to wait for {} s", url, result.message,
                                       result.retry_after->count());
                pause = *result.retry_after;
            }
            say(fmt::format("{}: {}; again in {:.1f} s", printable_line(url), result.message,
                            std::chrono::duration<double>(pause).count()));
            std::this_thread::sleep_for(pause);
            wait *= 2;
        }
    }

    TransferResult attempt(const std::string& url) {
        TransferRequest request{url, 0, "", settings_.ca_file, networks_, limits_};
        const Origin origin = read_origin(directory_.get());
        if (origin.sha256 == source_.sha256 && origin.url == url && !origin.validator.empty()) {
            request.offset = bytes();
            request.validator = origin.validator;
        }
        TransferSink sink;
        sink.begin = [&](std::uint64_t offset, std::uint64_t total, const std::string& validator) {
            auto begun = begin({source_.sha256, url, validator}, offset, total);
            if (!begun) own_error_ = begun.error();
            return begun.has_value();
        };
        sink.write = [&](std::string_view data) { return write(data); };
        TransferResult result = transfer(request, sink);
        if (result.end == TransferEnd::Stale) {
            if (auto emptied = empty(); !emptied) {
                own_error_ = emptied.error();
                result.end = TransferEnd::OwnError;
            }
        }
        return result;
    }

    Built<void> begin(const Origin& origin, std::uint64_t offset, std::uint64_t total) {
        say(fmt::format("{} {}{}", offset > 0 ? fmt::format("resuming at {} bytes:", offset) : "downloading",
                        printable_line(origin.url), total > 0 ? fmt::format(", {} bytes", total) : ""));
        progress_.begin(BuildPhase::Downloading, total, 0, input_);
        progress_.at(offset);
        at_ = offset;
        resumed_ = offset > 0;
        if (::ftruncate(file_.get(), static_cast<off_t>(offset)) != 0) return own();
        struct statvfs space{};
        if (total > offset && ::fstatvfs(file_.get(), &space) == 0 &&
            static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize < total - offset) {
            return own_failure(
                ENOSPC,
                fmt::format("{} more bytes of the archive do not fit on the disk, which "
                            "has {} free",
                            total - offset, static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize));
        }
        const std::string text = origin.sha256 + "\n" + origin.url + "\n" + origin.validator + "\n";
        const std::string fresh = std::string(origin_name) + ".new";
        const Fd file(::openat(directory_.get(), fresh.c_str(),
                               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640));
        if (!file || !store::write_all(file.get(), text, fresh) ||
            ::renameat(directory_.get(), fresh.c_str(), directory_.get(), origin_name) != 0)
            return own();
        return {};
    }

    bool write(std::string_view data) {
        if (const auto wrote = store::write_at(file_.get(), data, at_, shown); !wrote) {
            own_error_ = own_failure(errno, wrote.error()).error();
            return false;
        }
        at_ += data.size();
        progress_.at(at_);
        return true;
    }

    const ArchiveSource& source_;
    Progress& progress_;
    const DownloadSettings& settings_;
    std::string input_;
    std::vector<Network> networks_;
    TransferLimits limits_;
    Fd directory_;
    Fd file_;
    std::string found_;  ///< the SHA-256 of what is there
    bool web_page_ = false;
    std::uint64_t at_ = 0;  ///< where the next data go
    bool resumed_ = false;  ///< the data are of more than one attempt
    std::optional<BuildError> own_error_;
};

}  // namespace

Built<Fd> fetch_archive(const ArchiveSource& source, int build_directory, Progress& progress,
                        const DownloadSettings& settings) {
    return Download(source, progress, settings).run(build_directory);
}

}  // namespace left4me::builder
