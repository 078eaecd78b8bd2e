#include "backup/read_backup.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "backup/entry.hpp"
#include "builder/messages.hpp"

namespace left4me::backup {

namespace {

using builder::Message;
using Kind = Message::Kind;

struct Free {
    void operator()(archive* reader) const { (void)archive_read_free(reader); }
};

std::string or_empty(const char* text) { return text == nullptr ? "" : text; }

bool fail(int pipe, std::string why) {
    (void)builder::send_message(pipe, {.kind = Kind::Failed, .text = std::move(why), .more = {}});
    return false;
}

std::optional<Type> type_of(archive_entry* entry) {
    if (archive_entry_hardlink(entry) != nullptr) return std::nullopt;
    switch (archive_entry_filetype(entry)) {
        case AE_IFDIR:
            return Type::Directory;
        case AE_IFREG:
            return Type::File;
        case AE_IFLNK:
            return Type::Link;
        case AE_IFCHR:
            return archive_entry_rdev(entry) == 0 ? std::optional(Type::Whiteout) : std::nullopt;
        default:
            return std::nullopt;
    }
}

/// Whether to go on.
bool send_content(archive* reader, int pipe) {
    const void* data = nullptr;
    std::size_t bytes = 0;
    la_int64_t offset = 0;
    std::uint64_t end = 0;
    while (true) {
        const int result = archive_read_data_block(reader, &data, &bytes, &offset);
        if (result == ARCHIVE_EOF) break;
        if (result != ARCHIVE_OK) return fail(pipe, or_empty(archive_error_string(reader)));
        // left4me writes no holes.
        if (offset < 0 || static_cast<std::uint64_t>(offset) != end)
            return fail(pipe, "it has a sparse file, which l4d2ctl never writes");
        std::string_view left(static_cast<const char*>(data), bytes);
        while (!left.empty()) {
            const std::string_view part = left.substr(0, builder::max_data_bytes);
            if (!builder::send_data(pipe, 0, end, part)) return false;
            end += part.size();
            left.remove_prefix(part.size());
        }
    }
    return builder::send_message(pipe, {.kind = Kind::EndOfFile, .number = end, .text = {}, .more = {}});
}

bool send_entry(archive* reader, archive_entry* from, int pipe) {
    const char* const path = archive_entry_pathname(from);
    if (path == nullptr) return fail(pipe, "it has a name that is not UTF-8");
    std::string name = path;
    // tar's mark of a directory.
    if (name.size() > 1 && name.ends_with('/')) name.pop_back();
    const auto type = type_of(from);
    if (!type) return fail(pipe, name + " is neither a file, a directory, a symlink nor a whiteout");
    Entry entry{.type = *type,
                .path = name,
                .mode = archive_entry_perm(from),
                .user = or_empty(archive_entry_uname(from)),
                .group = or_empty(archive_entry_gname(from)),
                .modified = archive_entry_mtime(from),
                .target = *type == Type::Link ? or_empty(archive_entry_symlink(from)) : "",
                .attributes = {}};
    (void)archive_entry_xattr_reset(from);
    const char* attribute = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    while (archive_entry_xattr_next(from, &attribute, &value, &size) == ARCHIVE_OK)
        entry.attributes[attribute] = std::string(static_cast<const char*>(value), size);
    if (!builder::send_message(pipe, {.kind = Kind::Row, .text = to_row(entry), .more = {}})) return false;
    return *type != Type::File || send_content(reader, pipe);
}

}  // namespace

void read_backup(int file, int pipe) {
    const std::unique_ptr<archive, Free> reader(archive_read_new());
    if (!reader) return;
    archive* const from = reader.get();
    (void)archive_read_support_format_tar(from);
    (void)archive_read_support_filter_zstd(from);
    constexpr std::size_t block = 1U << 17U;
    if (archive_read_open_fd(from, file, block) != ARCHIVE_OK) {
        (void)fail(pipe, or_empty(archive_error_string(from)));
        return;
    }
    while (true) {
        archive_entry* entry = nullptr;
        const int result = archive_read_next_header(from, &entry);
        if (result == ARCHIVE_EOF) break;
        if (result != ARCHIVE_OK) {
            (void)fail(pipe, or_empty(archive_error_string(from)));
            return;
        }
        if (!send_entry(from, entry, pipe)) return;
    }
    (void)builder::send_message(pipe, {.kind = Kind::End, .text = {}, .more = {}});
}

}  // namespace left4me::backup
