#include "builder/archive/read_archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <string>

#include "builder/messages.hpp"

namespace left4me::builder {

namespace {

using Kind = Message::Kind;

struct Free {
    void operator()(archive* reader) const { (void)archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, Free>;

std::string or_empty(const char* text) { return text == nullptr ? "" : text; }

class Sender {
  public:
    Sender(archive* reader, int pipe) : reader_(reader), pipe_(pipe) {}

    bool send(Kind kind, std::string text = {}, std::string more = {}, std::uint64_t number = 0) const {
        return send_message(pipe_, {kind, number, position(), std::move(text), std::move(more)});
    }

    bool data(std::uint64_t offset, std::string_view data) const {
        while (!data.empty()) {
            const std::string_view part = data.substr(0, max_data_bytes);
            if (!send_data(pipe_, position(), offset, part)) return false;
            offset += part.size();
            data.remove_prefix(part.size());
        }
        return true;
    }

    bool failed() const { return send(Kind::Failed, or_empty(archive_error_string(reader_))); }

  private:
    /// Of the outermost filter: the file itself.
    std::uint64_t position() const {
        return static_cast<std::uint64_t>(std::max<la_int64_t>(archive_filter_bytes(reader_, -1), 0));
    }

    archive* reader_;
    int pipe_;
};

/// Whether to go on.
bool send_content(archive* reader, archive_entry* entry, const Sender& sender) {
    const void* data = nullptr;
    std::size_t bytes = 0;
    la_int64_t offset = 0;
    while (true) {
        const int result = archive_read_data_block(reader, &data, &bytes, &offset);
        if (result == ARCHIVE_EOF) break;
        if (result != ARCHIVE_OK || offset < 0) return sender.failed() && false;
        if (!sender.data(static_cast<std::uint64_t>(offset), {static_cast<const char*>(data), bytes}))
            return false;
    }
    const la_int64_t size = archive_entry_size_is_set(entry) != 0 ? archive_entry_size(entry) : 0;
    return sender.send(Kind::EndOfFile, {}, {}, static_cast<std::uint64_t>(std::max<la_int64_t>(size, 0)));
}

std::string word_for(unsigned type) {
    switch (type) {
        case AE_IFIFO:
            return "a FIFO";
        case AE_IFSOCK:
            return "a socket";
        case AE_IFCHR:
        case AE_IFBLK:
            return "a device";
        default:
            return "neither a file, a directory nor a link";
    }
}

/// Whether to go on.
bool send_entry(archive* reader, archive_entry* entry, const Sender& sender) {
    const char* const name = archive_entry_pathname(entry);
    if (name == nullptr) {
        return sender.send(Kind::Failed,
                           "it has a name that is not UTF-8; rename the file before it is packed") &&
               false;
    }
    if (archive_entry_is_encrypted(entry) != 0)
        return sender.send(Kind::Failed, "it is encrypted; pack it without a password") && false;
    const std::string path = name;
    if (const char* const original = archive_entry_hardlink(entry))
        return sender.send(Kind::HardLink, path, original);
    const unsigned type = archive_entry_filetype(entry);
    const unsigned mode = archive_entry_perm(entry);
    switch (type) {
        case AE_IFDIR:
            return sender.send(Kind::Directory, path);
        case AE_IFLNK:
            return sender.send(Kind::Link, path, or_empty(archive_entry_symlink(entry)));
        case AE_IFREG:
            if ((mode & (S_ISUID | S_ISGID)) != 0)
                return sender.send(Kind::Refused, path,
                                   "has the setuid or setgid bit; pack it without, or exclude it");
            return sender.send(Kind::File, path, {}, mode) && send_content(reader, entry, sender);
        default:
            return sender.send(Kind::Refused, path, "is " + word_for(type) + "; exclude it");
    }
}

}  // namespace

void read_archive(int file, int pipe) {
    const Reader reader(archive_read_new());
    if (!reader) return;
    archive* const from = reader.get();
    const Sender sender(from, pipe);
    // Named one by one: an overlay needs no CAB, RAR or ISO, and every parser is a risk.
    (void)archive_read_support_format_tar(from);
    (void)archive_read_support_format_zip(from);
    (void)archive_read_support_format_7zip(from);
    (void)archive_read_support_filter_gzip(from);
    (void)archive_read_support_filter_xz(from);
    (void)archive_read_support_filter_zstd(from);
    (void)archive_read_support_filter_bzip2(from);
    constexpr std::size_t block = 1U << 17U;
    if (archive_read_open_fd(from, file, block) != ARCHIVE_OK) {
        (void)sender.failed();
        return;
    }
    while (true) {
        archive_entry* entry = nullptr;
        const int result = archive_read_next_header(from, &entry);
        if (result == ARCHIVE_EOF) break;
        // A warning is about attributes that an overlay does not have.
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
            (void)sender.failed();
            return;
        }
        if (!send_entry(from, entry, sender)) return;
    }
    (void)sender.send(Kind::End);
}

}  // namespace left4me::builder
