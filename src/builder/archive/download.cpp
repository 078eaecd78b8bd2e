#include "builder/archive/download.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "adapters/store/content.hpp"
#include "adapters/store/files.hpp"
#include "adapters/store/source_root.hpp"
#include "builder/say.hpp"
#include "reconciler/digest.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

namespace {

constexpr const char* data_name = "data";
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
    Download(const ArchiveSource& source, PartialFile& file, Progress& progress,
             const DownloadSettings& settings)
        : source_(source),
          file_(file),
          downloads_{settings, parse_networks(source.private_networks), progress, fingerprint(source)},
          limits_(settings.limits) {
        limits_.bytes = std::min(limits_.bytes, source.limits.bytes);
    }

    Built<Fd> run() {
        // All of it may be there: the build was killed, or could not unpack it.
        if (file_.bytes() > 0 && file_.is_wanted()) {
            const auto verified = is_verified();
            if (!verified) return std::unexpected(verified.error());
            if (*verified) return file_.read_only();
        }
        std::string errors;
        for (const ArchiveLocation& location : source_.locations) {
            const auto error = get(location);
            if (!error) return std::unexpected(error.error());
            if (error->empty()) return file_.read_only();
            say(printable_line(*error));
            errors += (errors.empty() ? "" : "; ") + *error;
        }
        return source_failure(printable_line(errors));
    }

  private:
    Built<bool> is_verified() {
        const auto found = sha256_of(file_.fd());
        if (!found) return own_failure(errno, found.error());
        found_ = *found;
        return found_ == source_.sha256;
    }

    std::string mismatch(const std::string& url, bool web_page) const {
        return fmt::format(
            "{}: {} with the SHA-256 {}, not {}; correct the URL, or `sha256` if the new file is "
            "the one that you want",
            url, web_page ? "the server sent a web page" : "this is a file", found_, source_.sha256);
    }

    // The following return an error of this location, which names it (empty: none), or an error of our own.

    /// The verified archive. If it is another file, nothing of it is kept.
    Built<std::string> get(const ArchiveLocation& location) {
        for (bool again = false;; again = true) {
            const bool here = !location.root.empty();
            auto error = here ? copy(location) : file_.download(location.url, limits_, downloads_);
            if (!error || !error->empty()) return error;
            const auto verified = is_verified();
            if (!verified) return std::unexpected(verified.error());
            if (*verified) return error;
            const bool patched = file_.is_patched();
            if (auto discarded = file_.discard(); !discarded) return std::unexpected(discarded.error());
            // The parts may be of two files.
            if (!patched || again) return mismatch(location.url, !here && file_.is_web_page());
        }
    }

    Built<std::string> copy(const ArchiveLocation& location) {
        const auto from = store::open_source_file(location.url, location.root);
        if (!from) return from.error();
        struct stat status{};
        if (::fstat(from->get(), &status) != 0)
            return own_failure(errno, store::io_error(location.url).error());
        const auto size = static_cast<std::uint64_t>(status.st_size);
        if (size > limits_.bytes) return location.url + " is larger than limits.overlayBytes";
        say("copying " + printable_line(location.url));
        downloads_.progress.begin(BuildPhase::Downloading, size, 0, downloads_.input);
        // What was downloaded goes, and nothing may be added to what is copied.
        if (auto discarded = file_.discard(); !discarded) return std::unexpected(discarded.error());
        // Copied first: its owner may change it between the check and the unpacking.
        const auto copied =
            store::copy_content(from->get(), file_.fd(), location.url,
                                [this](std::uint64_t more) { downloads_.progress.bytes(more); });
        if (!copied) return own_failure(errno, copied.error());
        return std::string();
    }

    const ArchiveSource& source_;
    PartialFile& file_;
    Downloads downloads_;
    TransferLimits limits_;
    std::string found_;  ///< the SHA-256 of what is there
};

}  // namespace

Built<Fd> fetch_archive(const ArchiveSource& source, int build_directory, Progress& progress,
                        const DownloadSettings& settings) {
    auto file = PartialFile::open(build_directory, data_name, source.sha256);
    if (!file) return std::unexpected(file.error());
    return Download(source, *file, progress, settings).run();
}

}  // namespace left4me::builder
